/** The agent's own times and sizes, beside those that the hub sends in the handshake. */
import { LEASE_MS, UPLOAD_PART_BYTES, UPLOAD_SILENCE_MS } from '@mealtable/protocol/tunables';
import type { OutputRate } from './output-lines.ts';

export interface AgentLimits {
  /** First wait after a failed try to reach the hub; each further one is longer, up to `retryMaxMs`. */
  retryFirstMs: number;
  retryMaxMs: number;
  /** How long the hub may take to begin with its answer to a request that brings it no file. */
  answerMs: number;
  /** Files above this are sent in parts of so many bytes; a cut costs one of them at most. */
  uploadPartBytes: number;
  /** An upload in parts of which the hub neither takes a byte nor answers for so long is begun again where it was. */
  uploadSilenceMs: number;
  /** Time beyond the trainers' grace in which a stopping agent still uploads and sends. */
  shutdownExtraMs: number;
  /** Tries of an upload that the hub answered and refused, before an attempt that did not succeed ends without it. */
  refusedUploadTries: number;
  /** Downloads with a wrong hash before the file counts as missing. */
  corruptDownloadTries: number;
  /** Size of the blob cache; files that no attempt uses are deleted above it, least recently used first. */
  blobCacheBytes: number;
  /** No run is taken with less free space in the state folder. */
  minFreeBytes: number;
  /** Time between two looks at the datasets' folders. */
  datasetRescanMs: number;
  /** How long the agent of a batch job waits for its run, which may be leased to a node that was lost. */
  oneRunPatienceMs: number;
  /** How long the hub waits for a dataset to be read before it is told that this takes longer. */
  datasetPatienceMs: number;
  /** Time between two looks at the soft labels that this host keeps. */
  labelRescanMs: number;
  /** What is sent of one stream of a trainer's output. */
  outputRate: OutputRate;
  /** A file of output above this is emptied once it is sent, above twice this at once. */
  outputFileBytes: number;
}

export const agentLimits: AgentLimits = {
  retryFirstMs: 250,
  retryMaxMs: 5_000,
  answerMs: 15_000,
  uploadPartBytes: UPLOAD_PART_BYTES,
  uploadSilenceMs: UPLOAD_SILENCE_MS,
  shutdownExtraMs: 5_000,
  refusedUploadTries: 5,
  corruptDownloadTries: 3,
  blobCacheBytes: 20_000_000_000,
  minFreeBytes: 200_000_000,
  datasetRescanMs: 30_000,
  datasetPatienceMs: 10_000,
  oneRunPatienceMs: LEASE_MS + 30_000,
  labelRescanMs: 60_000,
  outputRate: { linesPerSecond: 1_000, charsPerSecond: 500_000, barStateMs: 1_000 },
  outputFileBytes: 128_000_000,
};
