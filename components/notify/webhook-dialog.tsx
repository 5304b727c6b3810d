'use client';
import { BROWSER_KINDS, EVENT_KINDS, type EventKind, TOLD_KINDS } from '@mealtable/protocol/events';
import { NewWebhook, type WebhookView } from '@mealtable/protocol/webhooks';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError, problemAt } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { LabelledCheckbox } from '../ui/checkbox';
import { Dialog } from '../ui/dialog';
import { Field, FieldGroup } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';
import { Switch } from '../ui/switch';

interface WebhookDialogProps {
  /** Null for a new one. */
  webhook: WebhookView | null;
  onClose: () => void;
  /** With the secret of a new one. */
  onSaved: (secret: string | null) => void;
}

export function WebhookDialog({ webhook, onClose, onSaved }: WebhookDialogProps) {
  const trpc = useTRPC();
  const [draft, setDraft] = useState({
    label: webhook?.label ?? '',
    url: webhook?.url ?? '',
    kinds: webhook?.kinds ?? ([...BROWSER_KINDS] as EventKind[]),
    allowsPrivate: webhook?.allowsPrivate ?? false,
    enabled: webhook?.enabled ?? true,
  });
  const [isTried, setTried] = useState(false);
  const create = useMutation(trpc.webhooks.create.mutationOptions({ onSuccess: ({ secret }) => onSaved(secret) }));
  const change = useMutation(trpc.webhooks.change.mutationOptions({ onSuccess: () => onSaved(null) }));
  const set = (part: Partial<typeof draft>) => setDraft({ ...draft, ...part });
  const parsed = NewWebhook.safeParse(draft);
  const error = create.error ?? change.error;
  const problemOf = (path: 'label' | 'url' | 'kinds') => {
    const own = parsed.success ? undefined : parsed.error.issues.find((issue) => issue.path[0] === path)?.message;
    return (isTried && own) || problemAt(error, path);
  };
  const save = () => {
    setTried(true);
    if (!parsed.success) return;
    const values = { ...parsed.data, kinds: parsed.data.kinds };
    if (webhook) change.mutate({ id: webhook.id, ...values });
    else create.mutate(values);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={webhook ? `Edit “${webhook.label}”` : 'Add a webhook'}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="webhook" variant="primary" busy={create.isPending || change.isPending}>
            {webhook ? 'Save' : 'Add the webhook'}
          </Button>
        </>
      }
    >
      <form
        id="webhook"
        noValidate
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <Field label="Label" hint="To tell it from others." error={problemOf('label')}>
          {(control) => (
            <Input {...control} maxLength={100} value={draft.label} onChange={(e) => set({ label: e.target.value })} />
          )}
        </Field>
        <Field label="Address" hint="Takes a POST with JSON." error={problemOf('url')}>
          {(control) => (
            <Input
              {...control}
              type="url"
              placeholder="https://"
              value={draft.url}
              onChange={(e) => set({ url: e.target.value })}
            />
          )}
        </Field>
        <FieldGroup label="Tell it of" error={problemOf('kinds')}>
          {TOLD_KINDS.map((kind) => (
            <LabelledCheckbox
              key={kind}
              label={EVENT_KINDS[kind].name}
              hint={EVENT_KINDS[kind].says}
              checked={draft.kinds.includes(kind)}
              onChange={(isOn) =>
                set({ kinds: TOLD_KINDS.filter((known) => (known === kind ? isOn : draft.kinds.includes(known))) })
              }
            />
          ))}
        </FieldGroup>
        <Switch
          label="Allow private addresses"
          hint="Needed for a receiver on this machine or in its network. Without it the hub sends nothing there, whatever a name resolves to."
          checked={draft.allowsPrivate}
          onChange={(allowsPrivate) => set({ allowsPrivate })}
        />
        <Switch
          label="On"
          hint="While it is off, what happens is not kept for it."
          checked={draft.enabled}
          onChange={(enabled) => set({ enabled })}
        />
        {error && <Notice tone="bad">{describeError(error)}</Notice>}
      </form>
    </Dialog>
  );
}
