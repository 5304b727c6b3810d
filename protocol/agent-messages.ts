/** Agent <-> hub over socket.io, namespace `/agent`. Every agent message is acked; hub events are only nudges. */
import { z } from 'zod';
import { HostLabel } from './host-labels.ts';
import { CheckpointId, HostId, RunId, Sha256 } from './ids.ts';
import type { OutputBatch, OutputBatchReply } from './output.ts';
import { CheckpointFile } from './records.ts';
import { Precision, RunConfig } from './run-config.ts';
import { KEPT_CLASSES } from './soft-labels.ts';
import type { SampleBatch, SampleReply } from './telemetry.ts';
import type { AgentTunables } from './tunables.ts';

export const AGENT_NAMESPACE = '/agent';

/** socket.io `auth` of the handshake. */
export const AgentAuth = z.object({
  token: z.string().min(1),
  protocolVersion: z.int(),
  agentVersion: z.string(),
  hostId: HostId,
});
export type AgentAuth = z.infer<typeof AgentAuth>;

/**
 * Sent as the connect_error message; the agent exits with the code beside it instead of trying again. The error's `data` is a
 * FatalRefusalData, which hubs of protocol 1 do not send.
 */
export const FATAL_REFUSALS = { bad_token: 77, agent_too_old: 78, hub_too_old: 79 } as const;
export type FatalRefusal = keyof typeof FATAL_REFUSALS;
export const FatalRefusalData = z.object({
  /** What to do, for the person who started the agent. */
  sentence: z.string(),
});

export const DatasetReport = z.object({
  name: z.string(),
  /** Class folder names, synsets or numbers in the order of their indices: what the classes are known by. */
  classNames: z.array(z.string()),
  /** What people call them, in the same order; null where nothing says so. Older agents do not send it. */
  classLabels: z.array(z.string()).nullable().default(null),
  trainCount: z.int(),
  valCount: z.int(),
  /** Hash over names and sizes of the images: equal fingerprints mean the same images. */
  fingerprint: z.string(),
  /** Empty when usable; otherwise sentences saying what is wrong and how to mend it. */
  problems: z.array(z.string()),
});
export type DatasetReport = z.infer<typeof DatasetReport>;

/** Soft labels that a host keeps, and all that decides which they are. */
export const LabelSetReport = z.object({
  /** Hash of all of the following but the ids; name of the folder. */
  key: Sha256,
  /** Of the dataset. */
  fingerprint: z.string(),
  /** Images of its train split. */
  imageCount: z.int(),
  /** Several where their logits are averaged before the softmax; only ratios of shares count. */
  teachers: z.array(
    z.object({
      /** Runs and published weights that are known on the host to have these very weights. */
      ids: z.array(z.string()),
      share: z.number(),
    }),
  ),
  temperature: z.number(),
  /** Pixels of what the teachers see. */
  inputSize: z.int(),
  augmentationSeed: z.int(),
  precision: Precision,
  classCount: z.int(),
  keep: z.literal(KEPT_CLASSES),
  logits: z.boolean(),
  /** Images that have a label of view 0, 1, ...; of later views none has. */
  labelled: z.array(z.int()),
});
export type LabelSetReport = z.infer<typeof LabelSetReport>;

export const HostReport = z.object({
  name: z.string().min(1).max(200),
  platform: z.string(),
  cpuModel: z.string(),
  cpuCount: z.int(),
  memoryBytes: z.number(),
  gpus: z.array(
    z.object({
      index: z.int(),
      name: z.string(),
      memoryBytes: z.number(),
      /** What the slots' CUDA_VISIBLE_DEVICES name it by. Agents of protocol 1 send neither this nor the driver. */
      uuid: z.string().optional(),
      driver: z.string().optional(),
    }),
  ),
  /** Why a slot is not offered just now, one sentence each. */
  problems: z.array(z.string()).optional(),
  slots: z.int().min(1),
  backend: z.string(),
  datasets: z.array(DatasetReport),
  /** What it understands of run configs (config-features.ts). Agents of protocol 1 do not say. */
  configFeatures: z.array(z.string()).optional(),
  /** Older agents do not send it. */
  labelSets: z.array(LabelSetReport).default([]),
  /** What the host offers to be chosen by. Older agents offer nothing. */
  labels: z.array(HostLabel).optional(),
  /** Published weights that it has or can fetch. Older agents do not say. */
  weights: z.array(z.string()).optional(),
  /** Reasons to stop a trainer that it knows. Older agents do not say: they take every one but `fenced` for a cancel. */
  stopReasons: z.array(z.string()).optional(),
});
export type HostReport = z.infer<typeof HostReport>;

export const AttemptRef = z.object({ runId: RunId, attempt: z.int32().min(1) });
export type AttemptRef = z.infer<typeof AttemptRef>;

/** An attempt and the slot that it has on its host; agents of protocol 1 do not say which. */
export const AttemptInSlot = AttemptRef.extend({ slot: z.int32().min(0).optional() });
export type AttemptInSlot = z.infer<typeof AttemptInSlot>;

export const AgentHello = z.object({ report: HostReport, attempts: z.array(AttemptInSlot) });
export type AgentHello = z.infer<typeof AgentHello>;
export interface HelloReply {
  tunables: AgentTunables;
  /** This hub knows `run:output`. Older ones do not say, and would never answer it. */
  takesOutput?: boolean;
  /** The database's clock at the answer, milliseconds since 1970. Hubs of protocol 1 do not send it. */
  now?: number;
  /** For each attempt listed: go on (and send from ackedSeq + 1), or stop because it is fenced or cancelled. */
  attempts: (AttemptRef & { ackedSeq: number; action: 'keep' | 'stop'; reason: StopReason | null })[];
}

/**
 * fenced: another attempt owns the run. cancelled: a person said so, and no checkpoint is wanted. paused: the run saves a checkpoint and
 * gives its slot back; sent only to agents whose report names it.
 */
export const STOP_REASONS = ['fenced', 'cancelled', 'paused'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

export const RunRequest = z.object({
  freeSlots: z.int().min(1).max(64),
  /** This run or none: what the agent in a batch job asks for. */
  runId: RunId.optional(),
});
export type RunRequest = z.infer<typeof RunRequest>;

export const GrantInput = z.object({ runId: RunId, network: z.string(), classCount: z.int(), file: CheckpointFile });
export type GrantInput = z.infer<typeof GrantInput>;
/** All that an agent needs to start one attempt. Files are fetched by hash from the hub. */
export const Grant = z.object({
  runId: RunId,
  attempt: z.int32().min(1),
  /** For people: study and variant. */
  label: z.string(),
  config: RunConfig,
  teachers: z.array(GrantInput),
  initialisation: GrantInput.nullable(),
  resume: z.object({ stepsCompleted: z.int(), files: z.array(CheckpointFile) }).nullable(),
  /** What other runs have labelled for this one: the files of each set. Only where there are such. */
  labels: z.array(z.object({ runId: RunId, files: z.array(CheckpointFile) })).optional(),
  /** Weights of the best checkpoint so far, where another one is gone on from: what the run tests at its end. */
  best: z.object({ checkpointId: CheckpointId, file: CheckpointFile }).nullish(),
});
export type Grant = z.infer<typeof Grant>;
export interface RunRequestReply {
  grants: Grant[];
}

/** The agent cannot carry out what it was granted. Nothing was tried: the run goes back, and not to this agent again. */
export const RunRefusal = AttemptRef.extend({
  /** One sentence for whoever wonders why the run waits. */
  reason: z.string().min(1).max(2000),
});
export type RunRefusal = z.infer<typeof RunRefusal>;
export interface RunRefusalReply {
  ok: true;
}

export const Heartbeat = z.object({ attempts: z.array(AttemptInSlot) });
export type Heartbeat = z.infer<typeof Heartbeat>;
export interface HeartbeatReply {
  /** Attempts that must end, until the agent says that they did. */
  stop: (AttemptRef & { reason: StopReason })[];
}

/** Records stay unparsed here: the hub parses each and answers a fault with its path, so one bad record is named. */
export const RecordBatch = AttemptRef.extend({ records: z.array(z.unknown()).min(1).max(1000) });
export type RecordBatch = z.infer<typeof RecordBatch>;
export type RecordBatchReply =
  /** Stored (or already there): everything up to ackedSeq is safe. */
  | { ok: true; ackedSeq: number; fenced: boolean }
  /** A gap: send again from this seq. */
  | { ok: false; code: 'resend_from'; seq: number }
  /** A record that cannot be read: its path and why. Nothing of the batch was stored. */
  | { ok: false; code: 'bad_record'; path: string; message: string }
  /** The hub could not write just now; try again. */
  | { ok: false; code: 'unavailable'; message: string };

/** Any refused message. */
export interface Nack {
  ok: false;
  code: 'bad_message';
  path: string;
  message: string;
}

export interface AgentToHub {
  'agent:hello': (message: AgentHello, ack: (reply: HelloReply | Nack) => void) => void;
  'run:request': (message: RunRequest, ack: (reply: RunRequestReply | Nack) => void) => void;
  'run:refuse': (message: RunRefusal, ack: (reply: RunRefusalReply | Nack) => void) => void;
  'agent:heartbeat': (message: Heartbeat, ack: (reply: HeartbeatReply | Nack) => void) => void;
  'run:records': (message: RecordBatch, ack: (reply: RecordBatchReply | Nack) => void) => void;
  'run:output': (message: OutputBatch, ack: (reply: OutputBatchReply | Nack) => void) => void;
  /** Of all messages the only one that may be lost: nothing is decided by it. */
  'agent:samples': (message: SampleBatch, ack: (reply: SampleReply | Nack) => void) => void;
}
export interface HubToAgent {
  /** Something may be claimable or to be stopped: ask. */
  'hub:nudge': () => void;
}

/**
 * Files in parts, by the tus protocol: POST here with `Upload-Metadata: sha256 <base64>`. A hub that takes them says so by
 * the header `Tus-Resumable` of its answer to HEAD of a blob; older ones take the PUT alone.
 */
export const UPLOADS_PATH = '/api/agent/uploads';
/** POST, when all parts have arrived: 200 when stored, 202 to ask again. */
export const finishPath = (uploadPath: string) => `${uploadPath}/finish`;

/** HTTP beside the socket, all with `Authorization: Bearer <agent token>`. PUT answers 200 {sha256,sizeBytes} when stored. */
export const blobPath = (sha256: string) => `/api/agent/blobs/${Sha256.parse(sha256)}`;
