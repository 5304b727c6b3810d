/** Queued runs of a study, claimed and filled with points through the hub's own store. */
import type { HostReport } from '@mealtable/protocol/agent-messages';
import type { Hub } from '../../server/context.ts';
import { upsertHost } from '../../server/hosts/host-rows.ts';
import { appendRecords } from '../../server/metrics/store.ts';
import { claimQueuedRuns } from '../../server/runs/claim.ts';
import { transact } from '../../server/runs/transaction.ts';
import { DATASET } from '../hub/studies.ts';

export interface Filling {
  hostId: string;
  runs: number;
  steps: number;
  metrics: number;
}

const BATCH = 500;
/** Runs that are filled at the same time. */
const AT_ONCE = 8;
const STEP_MS = 100;
const STEPS_PER_EPOCH = 100;

const HOST: HostReport = {
  ...{ name: 'filled', platform: 'linux-x64', cpuModel: 'bench', cpuCount: 2, memoryBytes: 8e9, gpus: [], slots: 100 },
  ...{ backend: 'tensorflow', datasets: [DATASET], labelSets: [] },
};

/** The host that the runs are on; no study can be made without one. @returns its id */
export async function addHost(hub: Hub): Promise<string> {
  const hostId = hub.ids('host');
  await transact(hub, (tx) => upsertHost(tx, hostId, '0.1.0', HOST));
  return hostId;
}

/** @returns points stored */
export async function fillRuns(hub: Hub, { hostId, runs, steps, metrics }: Filling): Promise<number> {
  const claims = await transact(hub, (tx) => claimQueuedRuns(tx, hostId, runs, null));
  if (claims.length < runs) throw new Error(`Only ${claims.length} of ${runs} runs could be claimed.`);
  // Nobody will send heartbeats for them.
  await hub.pool.query(`UPDATE runs SET lease_expires_at = now() + interval '1 day' WHERE id = ANY($1)`, [
    claims.map(({ runId }) => runId),
  ]);
  const names = Array.from({ length: metrics }, (_, i) => `train/metric_${i}`);
  const left = claims.map((claim, index) => ({ claim, index }));
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) await fillRun(hub, next.claim, next.index, names, steps);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return runs * steps * metrics;
}

async function fillRun(
  hub: Hub,
  { runId, attempt }: { runId: string; attempt: number },
  index: number,
  names: readonly string[],
  steps: number,
): Promise<void> {
  const begun = Date.now() - steps * STEP_MS;
  const head = { stepsCompleted: 0, stepsPerEpoch: STEPS_PER_EPOCH, totalSteps: 1_000_000 };
  let batch: object[] = [
    { seq: 1, at: begun, kind: 'started', ...head, backend: 'bench', device: 'none', parameterCount: 1 },
  ];
  const send = async () => {
    const reply = await appendRecords(hub, runId, attempt, batch);
    if (!reply.ok) throw new Error(`The hub answered ${JSON.stringify(reply)}.`);
    batch = [];
  };
  for (let step = 1; step <= steps; step++) {
    // A loss that falls, with noise that is the same in every run of the benchmark.
    const values = Object.fromEntries(
      names.map((name, i) => [
        name,
        2 * Math.exp(-step / (1_500 + 20 * index)) + 0.1 * i + 0.2 * Math.sin(step * 12.9898 + index),
      ]),
    );
    batch.push({
      seq: step + 1,
      at: begun + step * STEP_MS,
      kind: 'metrics',
      step,
      epoch: step / STEPS_PER_EPOCH,
      values,
    });
    if (batch.length === BATCH) await send();
  }
  if (batch.length > 0) await send();
}
