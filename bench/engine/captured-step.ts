/** A step as one TensorFlow graph, with what capturing it cost. */
import { performance } from 'node:perf_hooks';
import type { Tensor } from '@tensorflow/tfjs';
import { capture } from '../../trainer/engine/capture.ts';
import type { Step } from './steps.ts';

export interface Captured<I extends Record<string, Tensor>, O extends Record<string, Tensor>> {
  run(inputs: I): O;
  nodeCount: number;
  /** What `capture` took, in seconds. */
  seconds: number;
  dispose(): void;
}

/** Takes over `step`. The graph is looked for, and left, in `cache`. */
export function captureStep<I extends Record<string, Tensor>, O extends Record<string, Tensor>>(
  step: Step<I, O>,
  inputs: I,
  cache?: { folder: string; key: string },
): Captured<I, O> {
  const began = performance.now();
  const { variables, constants } = step;
  const captured = capture(step.run, { inputs, variables, constants, cache });
  return {
    run: (given) => captured.run(given),
    nodeCount: captured.nodeCount,
    seconds: (performance.now() - began) / 1000,
    dispose: () => {
      captured.dispose();
      step.dispose();
    },
  };
}
