/** The hub's own messenger: sends what is due, one delivery of each webhook at a time, in the order of the events. */
import { WEBHOOK_POLL_MS } from '@mealtable/protocol/tunables';
import type { Hub } from '../context.ts';
import { type Resolve, resolveBySystem } from './check-address.ts';
import { type ClaimedDelivery, claimDeliveries, loadDeliveredEvent, settleDelivery } from './delivery-rows.ts';
import { makePayload } from './payload.ts';
import { sendWebhook } from './send.ts';
import { signHeaders } from './sign.ts';

export interface DeliverOptions {
  resolve?: Resolve;
  pollMs?: number;
  timeoutMs?: number;
  endGraceMs?: number;
}

/** Time that tries get to come to their ends when the hub does. */
const END_GRACE_MS = 2_000;

/** @returns what ends it: tries that are under way are waited for a moment, then cut off and made again by the next hub */
export function startDelivering(
  hub: Pick<Hub, 'pool' | 'bus' | 'now' | 'baseUrl'>,
  { resolve = resolveBySystem, pollMs = WEBHOOK_POLL_MS, timeoutMs, endGraceMs = END_GRACE_MS }: DeliverOptions = {},
): () => Promise<void> {
  const busy = new Map<string, Promise<void>>();
  const ending = new AbortController();
  let stopped = false;
  let looking: Promise<void> | null = null;
  let askedAgain = false;

  const deliver = async (claimed: ClaimedDelivery): Promise<void> => {
    const event = await loadDeliveredEvent(hub.pool, claimed.eventId);
    if (event === null) return;
    const body = JSON.stringify(makePayload(event, hub.baseUrl()));
    const timestamp = Math.floor(hub.now().getTime() / 1000);
    const headers = signHeaders(claimed.secret, `evt_${claimed.eventId}`, timestamp, body);
    const options = { resolve, timeoutMs, ending: ending.signal };
    await settleDelivery(hub.pool, claimed, await sendWebhook(claimed, headers, body, options));
  };
  const begin = (claimed: ClaimedDelivery) => {
    const work = deliver(claimed)
      .catch((error: unknown) => {
        // The database went away between claim and result: the claim runs out, and the try is made again.
        console.error('A delivery of a webhook could not be noted; it is tried again:', error);
      })
      .finally(() => {
        busy.delete(claimed.webhookId);
        look();
      });
    busy.set(claimed.webhookId, work);
  };
  const lookOnce = async (): Promise<void> => {
    try {
      for (const claimed of await claimDeliveries(hub.pool, [...busy.keys()])) begin(claimed);
    } catch (error) {
      console.error('The search for due webhooks failed; it is made again soon:', error);
    }
  };
  const look = (): void => {
    if (stopped) return;
    if (looking) {
      askedAgain = true;
      return;
    }
    looking = lookOnce().finally(() => {
      looking = null;
      if (!askedAgain) return;
      askedAgain = false;
      look();
    });
  };

  const timer = setInterval(look, pollMs);
  hub.bus.on('webhooks:due', look);
  look();
  return async () => {
    stopped = true;
    clearInterval(timer);
    hub.bus.off('webhooks:due', look);
    const cut = setTimeout(() => ending.abort(), endGraceMs);
    await looking;
    await Promise.all(busy.values());
    clearTimeout(cut);
  };
}
