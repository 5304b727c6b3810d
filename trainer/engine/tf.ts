/**
 * The one TensorFlow.js that numeric code uses. `loadRuntime` (runtime.ts) decides at start-up which package that is and
 * sets it here, so models, losses and optimisers import `tf` like any module and never choose a backend.
 */
import type * as tfjs from '@tensorflow/tfjs';

export type Tf = typeof tfjs;

/** Live binding: before `loadRuntime` has finished, any use throws one clear sentence instead of "undefined is not a function". */
export let tf: Tf = new Proxy({} as Tf, {
  get(_target, property) {
    throw new Error(`tf.${String(property)} was used before TensorFlow was loaded: await loadRuntime() first.`);
  },
});

/** Called once by `loadRuntime`. */
export function setTensorFlow(loaded: Tf): void {
  tf = loaded;
}
