'use client';
import { SIGN_IN_LINK_HOURS } from '@mealtable/protocol/tunables';
import { Button } from '../ui/button';
import { CopyBlock } from '../ui/copy-button';
import { Dialog } from '../ui/dialog';

/** A sign-in link, shown this once. */
export function LinkOnceDialog({
  link,
  onClose,
}: {
  link: { link: string; name: string } | null;
  onClose: () => void;
}) {
  return (
    <Dialog
      open={link !== null}
      onOpenChange={(open) => !open && onClose()}
      title={`Link for ${link?.name ?? ''}`}
      description={`It signs them in once, within ${SIGN_IN_LINK_HOURS} hours, and is not shown again.`}
      footer={
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      {link && <CopyBlock text={link.link} label="Copy the link" />}
    </Dialog>
  );
}
