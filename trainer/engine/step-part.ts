/**
 * Parts of a step that can be told apart from the rest: where the step becomes a graph a part can be computed alone, where it runs op
 * by op its time is taken on the way.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { activeRecorder } from './graph/recorder.ts';

let watching: Map<string, number> | null = null;

/** What `compute` gives. The part `name` is done when the tensor that `last` takes of it is there. */
export function stepPart<T>(name: string, compute: () => T, last: (result: T) => Tensor): T {
  const began = performance.now();
  const result = compute();
  const recorder = activeRecorder();
  if (recorder !== null) recorder.addPart(name, last(result));
  else if (watching !== null) {
    // On a GPU ops go on after they were called.
    last(result).dataSync();
    watching.set(name, performance.now() - began);
  }
  return result;
}

/** What `compute` gives, with the milliseconds that each of its parts took. */
export function watchParts<T>(compute: () => T): { result: T; partMs: ReadonlyMap<string, number> } {
  const outer = watching;
  const partMs = new Map<string, number>();
  watching = partMs;
  try {
    return { result: compute(), partMs };
  } finally {
    watching = outer;
  }
}
