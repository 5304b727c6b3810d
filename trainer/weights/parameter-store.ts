/** The variables of one network: created under PyTorch's names, saved and loaded in PyTorch's layout. */
import type { Tensor, Variable } from '@tensorflow/tfjs';
import { tf } from '../engine/tf.ts';
import type { StateDict, StateTensor } from './state-dict.ts';
import { elementCount } from './state-dict.ts';
import { isFloatingPoint, type StoredDtype } from './stored-dtype.ts';
import { readAll, type TensorInfo, type TensorSource } from './tensor-source.ts';

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

/** Of one kind of problem in one message. */
const MAX_LISTED = 8;

type Float32Values = Pick<Extract<StateTensor, { dtype: 'F32' }>, 'shape' | 'data'>;

export interface LoadOptions {
  /** Names that keep what they are, whatever the source says of them: a classifier for other classes. */
  leave?: (name: string) => boolean;
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

  toStateDict(): Promise<StateDict> {
    return readAll(this.toSource());
  }

  /** What `toStateDict` gives, tensor by tensor: each is copied out when it is read. */
  toSource(): TensorSource {
    const tensors = new Map([...this.#entries].map(([name, entry]) => [name, describe(entry)] as const));
    return { tensors, read: (name) => copyOut(this.#entries.get(name)!) };
  }

  /**
   * All or nothing: throws one Error naming missing, unexpected and misshapen keys before anything is changed. Of each kind it
   * lists the first and counts the others: another network's weights differ in hundreds.
   */
  loadStateDict(stateDict: StateDict): void {
    const problems = this.#findProblems(stateDict, (dtype) => dtype === 'F32', {});
    for (const [name, { shape, data }] of stateDict)
      if (data.length !== elementCount(shape))
        problems.push(`${name} holds ${data.length} numbers instead of ${elementCount(shape)}`);
    requireNone(problems);
    for (const [name, { layout, variable }] of this.#entries) {
      const source = stateDict.get(name);
      if (variable !== null && source !== undefined) assign(variable, layout, source as Float32Values);
    }
  }

  /**
   * The same from a source, one tensor in memory at a time; numbers of another precision become float32. Nothing is changed
   * when keys or shapes do not fit. When reading fails halfway (a damaged file), the network is half loaded: dispose of it.
   */
  async load(source: TensorSource, options: LoadOptions = {}): Promise<void> {
    requireNone(this.#findProblems(source.tensors, isFloatingPoint, options));
    for (const [name, { layout, variable }] of this.#entries) {
      if (variable === null || options.leave?.(name)) continue;
      assign(variable, layout, toFloat32(name, await source.read(name)));
    }
  }

  #findProblems(
    found: ReadonlyMap<string, TensorInfo>,
    isTaken: (dtype: StoredDtype) => boolean,
    { leave = () => false }: LoadOptions,
  ): string[] {
    const missing: string[] = [];
    const wrong: string[] = [];
    for (const [name, entry] of this.#entries) {
      // Counters carry nothing, and PyTorch files from before 0.4.1 lack them.
      if (entry.variable === null || leave(name)) continue;
      const source = found.get(name);
      const { shape } = describe(entry);
      if (source === undefined) missing.push(name);
      else if (!isTaken(source.dtype)) wrong.push(`${name} is ${source.dtype} instead of F32`);
      else if (source.shape.join() !== shape.join()) {
        wrong.push(`${name} has shape [${source.shape}] instead of [${shape}]`);
      }
    }
    const unexpected = [...found.keys()].filter(
      (name) => !this.#entries.has(name) && !leave(name) && !name.endsWith('.num_batches_tracked'),
    );
    return [
      ...(missing.length > 0 ? [`missing ${listed(missing, ', ')}`] : []),
      ...(unexpected.length > 0 ? [`unexpected ${listed(unexpected, ', ')}`] : []),
      ...(wrong.length > 0 ? [listed(wrong, '; ')] : []),
    ];
  }

  dispose(): void {
    for (const { variable } of this.#entries.values()) variable?.dispose();
  }
}

function listed(items: readonly string[], separator: string): string {
  const shown = items.slice(0, MAX_LISTED).join(separator);
  return items.length <= MAX_LISTED ? shown : `${shown} and ${items.length - MAX_LISTED} more`;
}

function requireNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(`These weights do not fit the network: ${problems.join('; ')}.`);
}

/** As PyTorch has it. */
function describe({ layout, variable }: Entry): TensorInfo & { dtype: 'F32' | 'I64' } {
  if (variable === null) return { dtype: 'I64', shape: [] };
  const order = TO_PYTORCH[layout];
  return { dtype: 'F32', shape: order === null ? variable.shape : order.map((axis) => variable.shape[axis]!) };
}

async function copyOut({ layout, variable }: Entry): Promise<StateTensor> {
  if (variable === null) return { dtype: 'I64', shape: [], data: BigInt64Array.of(0n) };
  const order = TO_PYTORCH[layout];
  const tensor = order === null ? variable.clone() : tf.transpose(variable, order);
  try {
    return { dtype: 'F32', shape: tensor.shape.slice(), data: (await tensor.data()) as Float32Array };
  } finally {
    tensor.dispose();
  }
}

function assign(variable: Variable, layout: Layout, { shape, data }: Float32Values): void {
  tf.tidy(() => {
    const order = FROM_PYTORCH[layout];
    const tensor = tf.tensor(data, shape, 'float32');
    variable.assign(order === null ? tensor : tf.transpose(tensor, order));
  });
}

/** @throws {Error} when a number is too large for float32: it would become infinite without a word */
function toFloat32(name: string, { dtype, shape, data }: StateTensor): Float32Values {
  if (dtype === 'F32') return { shape, data };
  if (dtype !== 'F64') throw new Error(`${name} was read as ${dtype}`);
  const rounded = Float32Array.from(data);
  const at = rounded.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(data[i]));
  if (at !== -1) throw new Error(`${name} holds ${data[at]}, which float32 cannot`);
  return { shape, data: rounded };
}
