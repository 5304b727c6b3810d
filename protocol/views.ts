/** What the API and the live socket show of the database. Times are milliseconds since 1970; accuracies are percent. */
import type { DatasetReport } from './agent-messages.ts';
import type { FactorName } from './factor-levels.ts';
import type { NetworkName } from './networks.ts';
import type { CheckpointFile } from './records.ts';
import type { EvaluationSource, RunConfig } from './run-config.ts';
import type { AttemptOutcome, FailureCode, RunRole, RunStatus, TokenKind, UserRole } from './statuses.ts';
import type { Levels, StudyDesign } from './study-design.ts';

export interface MeView {
  id: string;
  name: string;
  email: string;
  role: UserRole;
  /** False until the member has chosen one; the page then asks for it. */
  hasPassword: boolean;
  /** False without a password, and shortly after signing in by a link: then a forgotten one can be replaced. */
  needsOldPassword: boolean;
}
export interface MemberView {
  id: string;
  name: string;
  email: string;
  role: UserRole;
  createdAt: number;
  lastSeenAt: number | null;
  hasPassword: boolean;
}
export interface TokenView {
  id: string;
  kind: TokenKind;
  /** For program tokens: what they may do. */
  role: 'editor' | 'viewer' | null;
  label: string;
  /** First characters, to tell tokens apart. */
  hint: string;
  createdAt: number;
  createdBy: string;
  lastUsedAt: number | null;
}

export interface RunSummaryView {
  id: string;
  studyId: string;
  studyName: string;
  variantId: string;
  variantLabel: string;
  role: RunRole;
  seed: number;
  task: RunConfig['task'];
  network: NetworkName;
  inputSize: number;
  status: RunStatus;
  /** The user paused it: queued, but not to be claimed until resumed. */
  heldAt: number | null;
  /** An active run is to save a checkpoint and to give its slot back. */
  pauseRequestedAt: number | null;
  /** Who paused it, or asked to; empty when that is not known. */
  pausedBy: string;
  /** Higher ones are taken first; 0 unless set. */
  priority: number;
  /** Labels that its host must have. */
  requiredLabels: string[];
  /** Bytes of memory that a slot must have; null for any. */
  requiredMemory: number | null;
  cancelRequestedAt: number | null;
  failureCode: FailureCode | null;
  failureMessage: string | null;
  attempt: number;
  maxAttempts: number;
  hostId: string | null;
  hostName: string | null;
  stepsCompleted: number;
  /** Null until the first attempt has started. */
  totalSteps: number | null;
  /** 1 for an evaluation, which is one pass. */
  epochs: number;
  /** Best val/top1 so far, and the epoch (1-based, epochs done) it was reached after; ties: the earlier. */
  bestTop1: number | null;
  bestEpoch: number | null;
  lastTop1: number | null;
  /** Runs that must succeed first and have not yet. */
  waitingFor: { runId: string; label: string; status: RunStatus }[];
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
}
/** Why a queued run is not taken. */
export type WaitReason =
  | { kind: 'paused'; by: string; at: number }
  | { kind: 'needs_runs'; runs: RunSummaryView['waitingFor'] }
  /** Of `known` hosts none is online. */
  | { kind: 'no_host'; known: number; away: string[] }
  /** No host that is online has it; `away` names hosts that would take the run if they were. The same goes for the next three. */
  | { kind: 'no_dataset'; dataset: string; forTraining: boolean; away: string[] }
  | { kind: 'no_labels'; labels: string[]; away: string[] }
  /** `most` bytes is what the best slot has. */
  | { kind: 'no_memory'; bytes: number; most: number; away: string[] }
  | { kind: 'no_weights'; weights: string[]; away: string[] }
  | { kind: 'refused'; hosts: { name: string; reason: string }[] }
  | { kind: 'draining'; hosts: string[] }
  | { kind: 'resting'; hosts: { name: string; until: number; reason: string }[] }
  /** It asks for a Slurm cluster, which decides when and where. */
  | ({ kind: 'cluster' } & ClusterWait)
  /** As many of its study's runs are active as may be, or those before it will be. */
  | { kind: 'study_limit'; limit: number; studyId: string }
  /** All slots that could take it are in use, or go to runs before it. */
  | { kind: 'no_slot' };

export interface ClusterWait {
  launcherId: string;
  name: string;
  /** Null: no job of the run is in the cluster's queue. */
  job: { jobId: string | null; state: string; reason: string | null } | null;
  /** No jobs are submitted until then. */
  rest: { until: number; reason: string } | null;
}

export interface QueueItem {
  run: RunSummaryView;
  /** From 1; null for a paused run, which is in no order. */
  position: number | null;
  /** The decisive one first; none when the next host that asks takes the run. */
  reasons: WaitReason[];
}
export interface QueuePage {
  /** All queued runs. */
  total: number;
  paused: number;
  items: QueueItem[];
}

export interface AttemptView {
  attempt: number;
  hostId: string | null;
  hostName: string | null;
  claimedAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** Step the attempt went on from: 0, or its checkpoint's. */
  startStep: number;
  outcome: AttemptOutcome | null;
  failureCode: FailureCode | null;
  message: string | null;
  exitCode: number | null;
  signal: string | null;
  backend: string | null;
  device: string | null;
  ackedSeq: number;
  /** Only for attempts that failed: the end of the output. */
  lastLogLines: string[];
}
export interface CheckpointView {
  id: string;
  runId: string;
  attempt: number;
  stepsCompleted: number;
  epoch: number;
  top1: number | null;
  isBest: boolean;
  isLatest: boolean;
  /** All files have arrived. */
  complete: boolean;
  createdAt: number;
  files: (CheckpointFile & { url: string })[];
}
/** Percent, of the checkpoints read back from their files at the run's end; null for one that was not on the host. */
export interface FinalTestView {
  best: { top1: number; top5: number } | null;
  latest: { top1: number; top5: number } | null;
}
export interface RunDetailView extends RunSummaryView {
  config: RunConfig;
  attempts: AttemptView[];
  checkpoints: CheckpointView[];
  parameterCount: number | null;
  stepsPerEpoch: number | null;
  /** Every metric name seen. */
  metrics: string[];
  /** Null before the run's end, and for runs that train nothing. */
  finalTest: FinalTestView | null;
}
/** Newest record the reader has; records are ordered by (attempt, seq). */
export interface RecordCursor {
  attempt: number;
  seq: number;
}
export interface MetricPage {
  /** Ordered by (attempt, seq). One column per metric would be sparse: train and val points have different metrics. */
  points: {
    attempt: number;
    seq: number;
    at: number;
    step: number;
    epoch: number;
    values: Record<string, number | string>;
  }[];
  /** Null when this was the last page. */
  next: RecordCursor | null;
}

export interface StudyListItem {
  id: string;
  name: string;
  dataset: string;
  studentNetwork: NetworkName;
  createdAt: number;
  createdBy: string;
  runCount: number;
  counts: Record<RunStatus, number>;
  /** Best mean top-1 over student variants with at least one value. */
  bestMeanTop1: number | null;
  bestVariantLabel: string | null;
}
export interface Top1Value {
  runId: string;
  seed: number;
  status: RunStatus;
  /** Best val/top1, and its epoch. */
  top1: number | null;
  epoch: number | null;
  /** Last val/top1. */
  last: number | null;
  /** Of the final test, for runs that succeeded. */
  testBest: number | null;
  testLatest: number | null;
}
/** What one run has cost so far. */
export interface RunCostView {
  runId: string;
  /** Milliseconds that its attempts held slots, from claim to end, all of them: lost and failed ones too. */
  slotMs: { gpu: number; cpu: number };
  attempts: number;
  /** An attempt goes on: its time is counted until now. */
  isOpen: boolean;
  /** Trainable ones of the network that is trained; null while the number of classes is not known. */
  parameters: number | null;
  /** Multiply-accumulates of one forward pass of one image through it; null as above. */
  macs: number | null;
  /** Median of train/images_per_s over its points; null without any. */
  imagesPerS: number | null;
}
/** A mean of differences of runs that have all else in common, in points of top-1, and what its pairs say about it. */
export interface PairedDifference {
  /** Null without a complete pair. */
  mean: number | null;
  /** Sample standard deviation of the differences (n - 1); null below two pairs. */
  std: number | null;
  /** Complete pairs. */
  n: number;
  /** Pairs of which a result is missing: of runs that have not ended, failed or were cancelled, and of seeds that one side lacks. */
  leftOut: number;
  /** 95 % by Student's t with n - 1 degrees of freedom; null below two pairs, and where all differences are alike. */
  interval: { low: number; high: number } | null;
  /** Two-sided, of the paired t test; null where the interval is. */
  p: number | null;
}
export interface Top1Row {
  variantId: string;
  role: RunRole;
  label: string;
  levels: Levels | null;
  network: NetworkName;
  inputSize: number;
  isReference: boolean;
  /** One per seed. Means count succeeded runs only; `values` shows the others as what they are. */
  values: Top1Value[];
  n: number;
  mean: number | null;
  /** Sample standard deviation (n - 1); null below two values. */
  std: number | null;
  /** Median of the best epochs. */
  bestEpoch: number | null;
  /** To the reference variant, paired by seed; null where nothing is compared: the reference itself, teachers, no reference. */
  difference: PairedDifference | null;
  /** Of the student variants the one with the highest mean; of equals the first. */
  isBest: boolean;
  /** A student variant whose difference to the best, paired by seed, has 0 in its interval. */
  isWithinNoiseOfBest: boolean;
}
/** What each factor does, each level against the reference level. Only factors with at least two levels. */
export interface StudyEffects {
  factors: FactorEffects[];
  interactions: InteractionEffect[];
}
export interface FactorEffects {
  factor: FactorName;
  /** The reference variant's level, or the first. */
  reference: string;
  levels: {
    level: string;
    /** Pairs of variants that differ in this factor alone. Zero in designs that never vary it by itself. */
    variantPairs: number;
    /** Paired by all other levels and the seed. */
    difference: PairedDifference;
  }[];
}
export interface InteractionEffect {
  factors: [InteractingLevel, InteractingLevel];
  /** What the first level does at the second factor's level, less what it does at that one's reference level. */
  difference: PairedDifference;
}
export interface InteractingLevel {
  factor: FactorName;
  level: string;
  reference: string;
}
export interface StudyView {
  id: string;
  name: string;
  notes: string;
  createdAt: number;
  createdBy: string;
  design: StudyDesign;
  referenceVariantId: string | null;
  /** Runs at once, at most; null for as many as there are slots. */
  maxConcurrent: number | null;
  rows: Top1Row[];
  effects: StudyEffects;
  runs: RunSummaryView[];
}

/** One evaluation: what was measured, beside what it ought to be. */
export interface EvaluationView {
  run: RunSummaryView;
  source: EvaluationSource;
  dataset: string;
  /** Percent and mean cross-entropy; null until it has succeeded. */
  top1: number | null;
  top5: number | null;
  loss: number | null;
  /** What the weights' publication states, or what the run's own validation found at this checkpoint; null where nothing does. */
  expected: { top1: number | null; top5: number | null; inputSize: number } | null;
}

export interface HostView {
  id: string;
  name: string;
  /** online: heard of within the limit. unreachable: silent. detached: said goodbye. */
  state: 'online' | 'unreachable' | 'detached';
  lastSeenAt: number | null;
  platform: string;
  cpuModel: string;
  cpuCount: number;
  memoryBytes: number;
  gpus: { index: number; name: string; memoryBytes: number }[];
  slots: number;
  backend: string;
  agentVersion: string;
  /** Given here. */
  labels: string[];
  /** Offered by its agent. */
  offeredLabels: string[];
  /** Bytes that a run can count on in a slot. */
  slotMemoryBytes: number;
  /** It takes no more runs since then. */
  drainingAt: number | null;
  /** It takes no runs until then, because too many failed there in a row. */
  restingUntil: number | null;
  restReason: string | null;
  /** Why slots are not offered just now, one sentence each. */
  problems: string[];
  /** Runs that its agent, as it is, did not take. */
  refusals: { runId: string; label: string; reason: string }[];
  datasets: DatasetReport[];
  runs: RunSummaryView[];
}
export interface DatasetOption {
  name: string;
  classNames: string[];
  trainCount: number;
  valCount: number;
  hostNames: string[];
  problems: string[];
}
/** A run whose best checkpoint can teach or start another. */
export interface TeacherOption {
  runId: string;
  label: string;
  network: NetworkName;
  dataset: string;
  classCount: number;
  inputSize: number;
  top1: number | null;
  succeeded: boolean;
}
