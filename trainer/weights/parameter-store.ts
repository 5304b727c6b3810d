/** The variables of one network: created under PyTorch's names, saved and loaded in PyTorch's layout. */
import type { Tensor, Variable } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';
import type { StateDict } from './state-dict.ts';
import { elementCount } from './state-dict.ts';

/**
 * How a variable lies in TensorFlow: 'conv' HWIO for PyTorch's OIHW (of a grouped convolution I is the inputs of one group in
 * both), 'depthwise' [h, w, channels, 1] for [channels, 1, h, w], 'dense' [in, out] for [out, in], 'plain' alike.
 */
export type Layout = 'conv' | 'depthwise' | 'dense' | 'plain';

const TO_PYTORCH: Record<Layout, number[] | null> = {
  conv: [3, 2, 0, 1],
  depthwise: [2, 3, 0, 1],
  dense: [1, 0],
  plain: null,
};
const FROM_PYTORCH: Record<Layout, number[] | null> = {
  conv: [2, 3, 1, 0],
  depthwise: [2, 3, 0, 1],
  dense: [1, 0],
  plain: null,
};

interface Entry {
  layout: Layout;
  /** Null for a counter that exists in the file only (`num_batches_tracked`). */
  variable: Variable | null;
}

export class ParameterStore {
  readonly parameters = new Map<string, Variable>();
  readonly buffers = new Map<string, Variable>();
  /** Every key of the state dict in PyTorch's order. */
  readonly #entries = new Map<string, Entry>();

  /** A trainable variable. `initial` is in TensorFlow's layout and stays the caller's. */
  addParameter(name: string, layout: Layout, initial: Tensor): Variable {
    return this.#add(this.parameters, name, layout, initial, true);
  }

  /** A saved variable that the optimiser leaves alone. */
  addBuffer(name: string, initial: Tensor): Variable {
    return this.#add(this.buffers, name, 'plain', initial, false);
  }

  /** An int64 scalar that PyTorch's strict loading wants to find and that nothing here uses; written as 0. */
  addCounter(name: string): void {
    this.#entries.set(name, { layout: 'plain', variable: null });
  }

  #add(into: Map<string, Variable>, name: string, layout: Layout, initial: Tensor, trainable: boolean): Variable {
    if (this.#entries.has(name)) throw new Error(`The parameter name ${name} is used twice.`);
    // The engine wants names that are unique in the process; two networks share PyTorch's, so it gets none of ours.
    const variable = tf.variable(initial, trainable);
    into.set(name, variable);
    this.#entries.set(name, { layout, variable });
    return variable;
  }

  async toStateDict(): Promise<StateDict> {
    const stateDict: StateDict = new Map();
    for (const [name, { layout, variable }] of this.#entries) {
      if (variable === null) {
        stateDict.set(name, { dtype: 'I64', shape: [], data: BigInt64Array.of(0n) });
        continue;
      }
      const order = TO_PYTORCH[layout];
      const tensor = order === null ? variable.clone() : tf.transpose(variable, order);
      stateDict.set(name, { dtype: 'F32', shape: tensor.shape.slice(), data: (await tensor.data()) as Float32Array });
      tensor.dispose();
    }
    return stateDict;
  }

  /** All or nothing: throws one Error naming every missing, unexpected or misshapen key before anything is changed. */
  loadStateDict(stateDict: StateDict): void {
    const problems = this.#findProblems(stateDict);
    if (problems.length > 0) throw new Error(`These weights do not fit the network: ${problems.join('; ')}.`);
    for (const [name, { layout, variable }] of this.#entries) {
      const source = stateDict.get(name);
      if (variable === null || source === undefined) continue;
      tf.tidy(() => {
        const order = FROM_PYTORCH[layout];
        const tensor = tf.tensor(source.data as Float32Array, source.shape, 'float32');
        variable.assign(order === null ? tensor : tf.transpose(tensor, order));
      });
    }
  }

  #findProblems(stateDict: StateDict): string[] {
    const missing: string[] = [];
    const wrong: string[] = [];
    for (const [name, { layout, variable }] of this.#entries) {
      const source = stateDict.get(name);
      if (source === undefined) {
        // Counters carry nothing, and PyTorch files from before 0.4.1 lack them.
        if (variable !== null) missing.push(name);
        continue;
      }
      if (variable === null) continue;
      const order = TO_PYTORCH[layout];
      const shape = order === null ? variable.shape : order.map((axis) => variable.shape[axis]!);
      if (source.dtype !== 'F32') wrong.push(`${name} is ${source.dtype} instead of F32`);
      else if (source.shape.join() !== shape.join()) {
        wrong.push(`${name} has shape [${source.shape}] instead of [${shape}]`);
      } else if (source.data.length !== elementCount(shape)) {
        wrong.push(`${name} holds ${source.data.length} numbers instead of ${elementCount(shape)}`);
      }
    }
    const unexpected = [...stateDict.keys()].filter((name) => !this.#entries.has(name));
    return [
      ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
      ...(unexpected.length > 0 ? [`unexpected ${unexpected.join(', ')}`] : []),
      ...wrong,
    ];
  }

  dispose(): void {
    for (const { variable } of this.#entries.values()) variable?.dispose();
  }
}
