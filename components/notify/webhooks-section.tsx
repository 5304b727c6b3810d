'use client';
import type { WebhookView } from '@mealtable/protocol/webhooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Webhook } from 'lucide-react';
import { useState } from 'react';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { SkeletonRows } from '../ui/skeleton';
import { toastError } from '../ui/toast';
import { DeliveriesDialog } from './deliveries-dialog';
import { SecretDialog } from './secret-dialog';
import { WebhookCard } from './webhook-card';
import { WebhookDialog } from './webhook-dialog';

/** Which dialog is open, and about which webhook. */
type Open =
  | { dialog: 'new' }
  | { dialog: 'edit' | 'deliveries' | 'renew' | 'remove'; webhook: WebhookView }
  | { dialog: 'secret'; secret: string };

export function WebhooksSection() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const webhooks = useQuery(trpc.webhooks.list.queryOptions(undefined, { refetchInterval: 10_000 }));
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const refresh = () => queryClient.invalidateQueries(trpc.webhooks.pathFilter());
  const test = useMutation(
    trpc.webhooks.test.mutationOptions({
      onSettled: refresh,
      onError: (error) => toastError('The test was not sent', error),
    }),
  );
  const renew = useMutation(
    trpc.webhooks.newSecret.mutationOptions({
      onSuccess: ({ secret }) => setOpen({ dialog: 'secret', secret }),
      onError: (error) => toastError('The secret was not renewed', error),
    }),
  );
  const remove = useMutation(
    trpc.webhooks.remove.mutationOptions({
      onSuccess: close,
      onSettled: refresh,
      onError: (error) => toastError('The webhook was not removed', error),
    }),
  );
  const add = (
    <Button variant="primary" onClick={() => setOpen({ dialog: 'new' })}>
      <Plus aria-hidden /> Add a webhook
    </Button>
  );
  return (
    <Section
      title="Webhooks"
      hint="The hub posts what happened to an address of yours, signed, and tries for hours if nobody answers."
      actions={webhooks.data && webhooks.data.length > 0 ? add : undefined}
    >
      {webhooks.isPending && <SkeletonRows rows={3} label="webhooks" />}
      {webhooks.isError && (
        <ErrorState what="The webhooks" error={webhooks.error} onRetry={() => void webhooks.refetch()} />
      )}
      {webhooks.data?.length === 0 && (
        <EmptyState icon={Webhook} title="No webhooks" actions={add}>
          Add one to hear in a chat or a program of yours that a study has finished, a run failed or a host was lost.
        </EmptyState>
      )}
      <ul className="space-y-3">
        {webhooks.data?.map((webhook) => (
          <WebhookCard
            key={webhook.id}
            webhook={webhook}
            isTesting={test.isPending && test.variables.id === webhook.id}
            onTest={() =>
              test.mutate({ id: webhook.id }, { onSuccess: () => setOpen({ dialog: 'deliveries', webhook }) })
            }
            onOpen={(dialog) => setOpen({ dialog, webhook })}
          />
        ))}
      </ul>
      {(open?.dialog === 'new' || open?.dialog === 'edit') && (
        <WebhookDialog
          webhook={open.dialog === 'edit' ? open.webhook : null}
          onClose={close}
          onSaved={(secret) => {
            void refresh();
            setOpen(secret === null ? null : { dialog: 'secret', secret });
          }}
        />
      )}
      {open?.dialog === 'secret' && <SecretDialog secret={open.secret} onClose={close} />}
      {open?.dialog === 'deliveries' && <DeliveriesDialog webhook={open.webhook} onClose={close} />}
      <ConfirmDialog
        open={open?.dialog === 'renew'}
        onOpenChange={(next) => !next && close()}
        title={`Renew the secret of “${open?.dialog === 'renew' ? open.webhook.label : ''}”?`}
        confirmLabel="Renew the secret"
        busy={renew.isPending}
        onConfirm={() => open?.dialog === 'renew' && renew.mutate({ id: open.webhook.id })}
      >
        <p>The receiver takes nothing more until it knows the new one.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={open?.dialog === 'remove'}
        onOpenChange={(next) => !next && close()}
        title={`Remove “${open?.dialog === 'remove' ? open.webhook.label : ''}”?`}
        confirmLabel="Remove the webhook"
        busy={remove.isPending}
        onConfirm={() => open?.dialog === 'remove' && remove.mutate({ id: open.webhook.id })}
      >
        <p>Its deliveries go with it, also those that still wait.</p>
      </ConfirmDialog>
    </Section>
  );
}
