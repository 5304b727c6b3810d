'use client';
import { EVENT_KINDS } from '@mealtable/protocol/events';
import type { DeliveryView, WebhookView } from '@mealtable/protocol/webhooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { plural } from '../format';
import { useTRPC } from '../trpc-provider';
import { Badge, type Tone } from '../ui/badge';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { ErrorState } from '../ui/error-state';
import { SkeletonRows } from '../ui/skeleton';
import { RelativeTime, useNow } from '../ui/time';
import { toastError } from '../ui/toast';

const LOOKS: Record<DeliveryView['status'], { word: string; tone: Tone }> = {
  pending: { word: 'Waiting', tone: 'accent' },
  delivered: { word: 'Delivered', tone: 'good' },
  failed: { word: 'Failed', tone: 'bad' },
};

/** The last deliveries of a webhook, watched while the dialog is open. */
export function DeliveriesDialog({ webhook, onClose }: { webhook: WebhookView; onClose: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const deliveries = useQuery(
    trpc.webhooks.deliveries.queryOptions(
      { id: webhook.id },
      { refetchInterval: (query) => (query.state.data?.some((d) => d.status === 'pending') ? 1_000 : 5_000) },
    ),
  );
  const again = useMutation(
    trpc.webhooks.redeliver.mutationOptions({
      onSettled: () => queryClient.invalidateQueries(trpc.webhooks.pathFilter()),
      onError: (error) => toastError('It was not sent again', error),
    }),
  );
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={`Deliveries to “${webhook.label}”`}
      description="The newest first. A receiver may get one twice; the id in its header stays the same."
      footer={
        <Button variant="primary" onClick={onClose}>
          Close
        </Button>
      }
    >
      {deliveries.isPending && <SkeletonRows rows={3} label="deliveries" />}
      {deliveries.isError && (
        <ErrorState what="The deliveries" error={deliveries.error} onRetry={() => void deliveries.refetch()} />
      )}
      {deliveries.data?.length === 0 && (
        <p className="text-ink-2 text-sm">Nothing was sent yet. “Test” sends something.</p>
      )}
      <ul className="divide-y">
        {deliveries.data?.map((delivery) => (
          <Delivery
            key={delivery.eventId}
            delivery={delivery}
            isBusy={again.isPending && again.variables.eventId === delivery.eventId}
            onAgain={() => again.mutate({ id: webhook.id, eventId: delivery.eventId })}
          />
        ))}
      </ul>
    </Dialog>
  );
}

function Delivery({ delivery, isBusy, onAgain }: { delivery: DeliveryView; isBusy: boolean; onAgain: () => void }) {
  const { word, tone } = LOOKS[delivery.status];
  const now = useNow(1_000);
  const waitS = delivery.nextTryAt === null ? 0 : Math.ceil((delivery.nextTryAt - now) / 1000);
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-1 py-2.5 text-sm">
      <span className="w-20 shrink-0">
        <Badge tone={tone}>{word}</Badge>
      </span>
      <Button size="sm" onClick={onAgain} busy={isBusy} className="ml-auto sm:order-last">
        Send again
      </Button>
      <div className="min-w-0 grow basis-full sm:basis-56">
        <p className="break-words">
          {EVENT_KINDS[delivery.kind].name}
          {delivery.studyName !== null && <span className="text-ink-2"> · {delivery.studyName}</span>}
        </p>
        <p className="text-ink-3 text-xs">
          <RelativeTime at={delivery.at} /> · {plural(delivery.tries, 'try', 'tries')}
          {delivery.lastStatus !== null && ` · HTTP ${delivery.lastStatus}`}
          {delivery.status === 'pending' &&
            waitS > 0 &&
            delivery.lastError !== null &&
            ` · next ${describeWait(waitS)}`}
        </p>
        {delivery.lastError !== null && <p className="mt-0.5 break-words text-bad text-xs">{delivery.lastError}</p>}
      </div>
    </li>
  );
}

const describeWait = (seconds: number): string =>
  seconds < 90
    ? `in ${seconds}\u00a0s`
    : seconds < 5_400
      ? `in ${Math.round(seconds / 60)}\u00a0min`
      : `in ${Math.round(seconds / 3600)}\u00a0h`;
