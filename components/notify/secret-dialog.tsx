'use client';
import { Button } from '../ui/button';
import { CopyBlock } from '../ui/copy-button';
import { Dialog } from '../ui/dialog';

/** A webhook's secret, shown this once. */
export function SecretDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="The secret of the webhook"
      description="Copy it now; it is not shown again. The receiver proves with it that a message comes from this hub."
      footer={
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <CopyBlock text={secret} label="Copy the secret" />
      <p className="mt-3 text-ink-2 text-sm">
        Messages are signed as Standard Webhooks describes, so its libraries can check them. A chat service needs no
        secret.
      </p>
    </Dialog>
  );
}
