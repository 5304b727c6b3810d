/** The hub's core on a real database, without HTTP: studies, a host, and a scripted trainer's records. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Grant, HostReport } from '@mealtable/protocol/agent-messages';
import type { AttemptRecord, CheckpointRecord, EndedRecord } from '@mealtable/protocol/records';
import { StudyDesign, type StudyDesignInput } from '@mealtable/protocol/study-design';
import { expect, vi } from 'vitest';
import { recordBlob } from '../../server/checkpoints/blob-rows.ts';
import { DiskStore } from '../../server/checkpoints/disk-store.ts';
import { Uploads } from '../../server/checkpoints/uploads/uploads.ts';
import { createLiveBus, type Hub, idMaker } from '../../server/context.ts';
import { upsertHost } from '../../server/hosts/host-rows.ts';
import { appendRecords } from '../../server/metrics/store.ts';
import { readOlder } from '../../server/output/read-log.ts';
import { claimRuns } from '../../server/runs/claim-runs.ts';
import { loadRunSummary } from '../../server/runs/summary.ts';
import { transact } from '../../server/runs/transaction.ts';
import { createStudy } from '../../server/studies/create.ts';
import { createTestDatabase } from './database.ts';
import { METRIC_TABLES } from './stored-points.ts';

export type CoreHub = Pick<Hub, 'db' | 'pool' | 'bus' | 'ids' | 'now' | 'blobs' | 'blobsDir' | 'uploads'>;

export interface Core {
  hub: CoreHub;
  /** Empties every table between tests. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function createCore(): Promise<Core> {
  const database = await createTestDatabase();
  const blobsDir = await mkdtemp(path.join(tmpdir(), 'mealtable-blobs-'));
  const now = () => new Date();
  const blobs = new DiskStore(blobsDir);
  await blobs.prepare();
  const uploads = new Uploads(path.join(blobsDir, 'arriving'), now);
  const hub = {
    db: database.db,
    pool: database.pool,
    bus: createLiveBus(),
    ids: idMaker(now),
    now,
    blobs,
    blobsDir,
    uploads,
  };
  return {
    hub,
    async reset() {
      await settlePublishing(hub);
      hub.bus.removeAllListeners();
      await hub.pool.query(
        `TRUNCATE studies, hosts, blobs, ${METRIC_TABLES.join(', ')}, log_lines, output_lines, users CASCADE`,
      );
    },
    async close() {
      await settlePublishing(hub);
      await database.close();
      await rm(blobsDir, { recursive: true });
    },
  };
}

/** Waits for a condition: quick where it holds at once, patient on a busy machine. */
export const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 45_000, interval: 10 });

/** Waits until `run:changed` of everything committed so far is out. */
export async function settlePublishing(hub: Pick<Hub, 'pool'>): Promise<void> {
  await until(() => {
    if (hub.pool.idleCount !== hub.pool.totalCount || hub.pool.waitingCount > 0) throw new Error('A query is left.');
  });
}

// ---- designs -------------------------------------------------------------------------------------------------------

export const plannedRef = (key: string) => ({ kind: 'planned' as const, key });

const plannedNetwork = (key: string) => ({
  key,
  network: 'resnet18_w16' as const,
  inputSize: 24,
  epochs: 2,
  batchSize: 16,
  seed: 1,
  optimizer: { learningRate: 0.1 },
});

/** Two planned teachers, four students and a baseline: 2 + 2 x (1 + 4) runs with two seeds. */
export function makeDesign(more: Partial<StudyDesignInput> = {}): StudyDesign {
  return StudyDesign.parse({
    version: 1,
    dataset: 'digits',
    student: { network: 'resnet18_w8', initialisation: { kind: 'random' } },
    epochs: 3,
    batchSize: 16,
    optimizer: { learningRate: 0.05 },
    planned: [plannedNetwork('a'), plannedNetwork('b')],
    baseline: true,
    design: 'full-factorial',
    factors: {
      teachers: [[plannedRef('a')], [plannedRef('a'), plannedRef('b')]],
      discriminator: [true, false],
      inputSize: [24],
    },
    list: [],
    seeds: [1, 2],
    ...more,
  } satisfies StudyDesignInput);
}

/** One planned teacher and one student with one seed: two runs, the second waiting for the first. */
export const smallDesign = () =>
  makeDesign({
    planned: [plannedNetwork('a')],
    baseline: false,
    factors: { teachers: [[plannedRef('a')]], discriminator: [true], inputSize: [24] },
    seeds: [1],
  });

export async function addStudy(hub: CoreHub, design = smallDesign(), name = 'study'): Promise<string> {
  return createStudy(hub, { name, notes: '', design, createdById: null });
}

// ---- hosts ---------------------------------------------------------------------------------------------------------

export const makeReport = (more: Partial<HostReport> = {}): HostReport => ({
  name: 'bench',
  platform: 'linux-x64',
  cpuModel: 'cpu',
  cpuCount: 2,
  memoryBytes: 8e9,
  gpus: [],
  slots: 2,
  backend: 'tensorflow',
  datasets: [makeDataset()],
  labelSets: [],
  ...more,
});

export const makeDataset = (more: Partial<HostReport['datasets'][number]> = {}) => ({
  name: 'digits',
  classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  classLabels: null,
  trainCount: 100,
  valCount: 20,
  fingerprint: 'f',
  problems: [],
  ...more,
});

export async function addHost(hub: CoreHub, more: Partial<HostReport> = {}): Promise<string> {
  const hostId = hub.ids('host');
  await transact(hub, (tx) => upsertHost(tx, hostId, '1.0.0', makeReport(more)));
  return hostId;
}

export async function claimOne(hub: CoreHub, hostId: string): Promise<Grant> {
  const [grant] = await claimRuns(hub, hostId, 1);
  if (!grant) throw new Error('There was nothing to claim.');
  return grant;
}

// ---- a scripted trainer --------------------------------------------------------------------------------------------

type Unnumbered = AttemptRecord extends infer R ? (R extends AttemptRecord ? Omit<R, 'seq' | 'at'> : never) : never;

/** Numbers records as a trainer does. */
export class RecordNumbers {
  seq = 0;
  number(record: Unnumbered): AttemptRecord {
    this.seq++;
    return { seq: this.seq, at: 1_700_000_000_000 + this.seq, ...record } as AttemptRecord;
  }
}

/** Numbers records and sends them straight to the store. */
export class ScriptedAttempt extends RecordNumbers {
  readonly hub: CoreHub;
  readonly runId: string;
  readonly attempt: number;
  constructor(hub: CoreHub, ref: { runId: string; attempt: number }) {
    super();
    this.hub = hub;
    this.runId = ref.runId;
    this.attempt = ref.attempt;
  }

  async send(...records: Unnumbered[]) {
    const numbered = records.map((record) => this.number(record));
    return appendRecords(this.hub, this.runId, this.attempt, numbered);
  }
}

export const started = (stepsCompleted = 0): Unnumbered => ({
  kind: 'started',
  stepsCompleted,
  stepsPerEpoch: 10,
  totalSteps: 30,
  backend: 'tensorflow',
  device: 'cpu',
  parameterCount: 1234,
});
export const metrics = (step: number, values: Record<string, number | string>): Unnumbered =>
  ({ kind: 'metrics', step, epoch: step / 10, values }) as Unnumbered;
export const logLine = (line: string): Unnumbered => ({ kind: 'log', level: 'info', line });
/** What a run's trainers have logged, over all attempts. */
export async function logLinesOf({ pool }: Pick<CoreHub, 'pool'>, runId: string): Promise<string[]> {
  const { lines } = await readOlder(pool, { id: runId, filter: { sources: ['log'], onlyProblems: false }, limit: 100 });
  return lines.map(({ line }) => line);
}
export const ended = (more: Partial<EndedRecord> = {}): Unnumbered => ({
  kind: 'ended',
  outcome: 'succeeded',
  failureCode: null,
  message: null,
  exitCode: 0,
  signal: null,
  ...more,
});

export const sha256Of = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

export interface ScriptedCheckpoint {
  record: Unnumbered & CheckpointRecord;
  contents: Buffer[];
}

/** A checkpoint of three small random files. */
export function makeCheckpoint(hub: CoreHub, step: number, top1: number | null, isBest = true): ScriptedCheckpoint {
  const contents = [randomBytes(64), randomBytes(64), randomBytes(32)];
  const names = ['model.safetensors', 'state.safetensors', 'progress.json'];
  const files = contents.map((bytes, i) => ({
    name: names[i] as string,
    sha256: sha256Of(bytes),
    sizeBytes: bytes.length,
  }));
  const record = {
    kind: 'checkpoint' as const,
    checkpointId: hub.ids('checkpoint'),
    stepsCompleted: step,
    epoch: step / 10,
    top1,
    isBest,
    files,
  };
  return { record: record as ScriptedCheckpoint['record'], contents };
}

export async function uploadBlob(hub: CoreHub, content: Buffer): Promise<void> {
  const sha256 = sha256Of(content);
  const source = Readable.from([content]);
  const onStored = (size: number) => recordBlob(hub, sha256, size);
  const result = await hub.blobs.put(sha256, source, { maxBytes: 1e7, onStored });
  if (!result.ok) throw new Error(result.code);
}

export async function uploadCheckpoint(hub: CoreHub, checkpoint: ScriptedCheckpoint): Promise<void> {
  for (const content of checkpoint.contents) await uploadBlob(hub, content);
}

/** Runs an attempt from its start to success, with one complete checkpoint. */
export async function succeed(hub: CoreHub, grant: { runId: string; attempt: number }, top1 = 90): Promise<void> {
  const trainer = new ScriptedAttempt(hub, grant);
  const checkpoint = makeCheckpoint(hub, 30, top1);
  await trainer.send(started(), metrics(30, { 'val/top1': top1 }), checkpoint.record);
  await uploadCheckpoint(hub, checkpoint);
  await trainer.send(ended());
  expect(await statusOf(hub, grant.runId)).toBe('succeeded');
}

export async function statusOf(hub: CoreHub, runId: string) {
  return (await loadRunSummary(hub.pool, runId))?.status;
}

/** Ids of the study's runs in the order of its table. */
export async function runsOf(hub: CoreHub, studyId: string): Promise<string[]> {
  const { rows } = await hub.pool.query<{ id: string }>(
    `SELECT r.id FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.study_id = $1 ORDER BY v.position, r.seed`,
    [studyId],
  );
  return rows.map((row) => row.id);
}
