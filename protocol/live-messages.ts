/** Hub -> browser over socket.io, namespace `/live` (session cookie, program token, or the secret of a share link). */
import { z } from 'zod';
import type { EventView } from './events.ts';
import { HostId, RunId, StudyId } from './ids.ts';
import type { OutputLine, OutputStream } from './output.ts';
import type { CheckpointRecord, LogRecord, MetricsRecord } from './records.ts';
import type { HostSample } from './telemetry.ts';
import type { RunSummaryView } from './views.ts';

export const LIVE_NAMESPACE = '/live';

/** What a page watches. `run:` brings records, `study:` its runs, `all` study and host changes for the lists. */
export const WatchTopic = z.union([
  z.strictObject({ kind: z.literal('run'), runId: RunId }),
  z.strictObject({ kind: z.literal('study'), studyId: StudyId }),
  /** What the host measures of itself. */
  z.strictObject({ kind: z.literal('host'), hostId: HostId }),
  z.strictObject({ kind: z.literal('all') }),
]);
export type WatchTopic = z.infer<typeof WatchTopic>;

export type LiveRecord = MetricsRecord | LogRecord | CheckpointRecord;

export interface RunRecordsEvent {
  runId: string;
  attempt: number;
  records: LiveRecord[];
}
/** Lines that a trainer printed. One that ends with REWRITTEN is replaced by the next of its stream. */
export interface RunOutputEvent {
  runId: string;
  attempt: number;
  stream: OutputStream;
  lines: OutputLine[];
}
/** A new attempt went back to a checkpoint: points of earlier attempts beyond this step are gone. */
export interface RunRewoundEvent {
  runId: string;
  attempt: number;
  stepsCompleted: number;
}
/** A host's newest sample; `at` as it is stored. */
export interface HostSampledEvent {
  hostId: string;
  at: number;
  sample: HostSample;
}
export interface HubToBrowser {
  'run:records': (event: RunRecordsEvent) => void;
  'run:output': (event: RunOutputEvent) => void;
  'run:rewound': (event: RunRewoundEvent) => void;
  'run:changed': (event: RunSummaryView) => void;
  /** A study was created, edited or deleted. */
  'study:changed': (event: { studyId: string }) => void;
  'hosts:changed': () => void;
  'host:sampled': (event: HostSampledEvent) => void;
  /** A launcher did or saw something: its view, events or jobs. */
  'launcher:changed': (event: { launcherId: string }) => void;
  /** Something happened that activity lists, the bell and browser notifications tell. */
  'event:noted': (event: EventView) => void;
}
export interface BrowserToHub {
  watch: (topic: WatchTopic, ack: (reply: { ok: true } | { ok: false; message: string }) => void) => void;
  unwatch: (topic: WatchTopic) => void;
}
