/**
 * Batches that arrive while a transaction is under way wait for the next one and share it. On an idle hub every batch has its own, at
 * once; the busier the hub, the larger the groups, so its work grows slower than what it is sent.
 */
import type { RecordBatchReply } from '@mealtable/protocol/agent-messages';
import type { CoreHub } from '../runs/transaction.ts';
import { isPlainBatch, type ParsedRecords, storeGroup } from './store-group.ts';

/** Records of one transaction, about: more would keep their runs locked for longer than a person's click should wait. */
const MAX_GROUP_RECORDS = 4_000;

interface Waiting {
  batch: ParsedRecords;
  answer(reply: RecordBatchReply | Promise<RecordBatchReply>): void;
}

/** What waits, per database; the entry exists while a transaction of its kind is under way. */
const queues = new WeakMap<CoreHub['pool'], Waiting[]>();

/** @param storeAlone stores one batch by itself: what is not plain, and what a group could not take */
export function commitInGroup(
  hub: CoreHub,
  batch: ParsedRecords,
  storeAlone: (batch: ParsedRecords) => Promise<RecordBatchReply>,
): Promise<RecordBatchReply> {
  if (!isPlainBatch(batch)) return storeAlone(batch);
  return new Promise((answer) => {
    const waiting = { batch, answer };
    const queue = queues.get(hub.pool);
    if (queue) queue.push(waiting);
    else {
      queues.set(hub.pool, [waiting]);
      void commitAll(hub, storeAlone);
    }
  });
}

async function commitAll(hub: CoreHub, storeAlone: (batch: ParsedRecords) => Promise<RecordBatchReply>): Promise<void> {
  for (let group = takeGroup(hub); group.length > 0; group = takeGroup(hub)) {
    const batches = group.map(({ batch }) => batch);
    // Whatever went wrong: by itself each batch finds out whether it is its own fault, and answers and logs it.
    const replies = await storeGroup(hub, batches).catch(() => batches.map(() => null));
    for (const [i, { batch, answer }] of group.entries()) answer(replies[i] ?? storeAlone(batch));
  }
  queues.delete(hub.pool);
}

/** From the front of the queue, one batch of each run: another one of the same run goes on from it. */
function takeGroup(hub: CoreHub): Waiting[] {
  const group: Waiting[] = [];
  const rest: Waiting[] = [];
  const runs = new Set<string>();
  let records = 0;
  for (const waiting of queues.get(hub.pool) ?? []) {
    const { batch } = waiting;
    const fits = group.length === 0 || records + batch.records.length <= MAX_GROUP_RECORDS;
    if (!fits || runs.has(batch.runId)) {
      rest.push(waiting);
      continue;
    }
    runs.add(batch.runId);
    records += batch.records.length;
    group.push(waiting);
  }
  queues.set(hub.pool, rest);
  return group;
}
