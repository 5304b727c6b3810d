/**
 * What a contender's process is told and answers. It gets one `Job` as JSON in its first argument, loads, prints one line
 * `{"ready": Ready}`, then answers each line `{"steps": n}` on stdin with a line `{"seconds": s}` until stdin ends.
 */
import type { Case } from './cases.ts';

export interface Job {
  contender: string;
  case: Case;
  threads: number;
  /** Holds weights.safetensors, in PyTorch's layout, and batch.safetensors with "images" (NHWC) and "soft_labels". */
  folder: string;
  learningRate: number;
  momentum: number;
  /** Where captured graphs are kept. */
  cacheFolder: string;
}

export interface Ready {
  /** What computes, e.g. 'PyTorch 2.13.0'. */
  version: string;
  /**
   * Numbers that equal weights and batches must make equal. Training: the losses of the first two steps, of which the second
   * depends on every gradient. Inference: the loss of the logits and their root mean square.
   */
  checks: number[];
  /** Of a captured step: how long `capture` took (TensorFlow's own rewriting of the graph is part of it), and the run after it. */
  capture?: { seconds: number; firstRunSeconds: number; nodeCount: number };
}

export interface Turn {
  /** Wall time of all steps together. */
  seconds: number;
}
