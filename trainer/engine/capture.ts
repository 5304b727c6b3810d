/**
 * Graph capture: a step written in ordinary tfjs code, recorded as what it asks of TensorFlow, then run as one TensorFlow
 * graph whose weights stay in the session. One call is one step; TensorFlow overlaps and fuses what it can.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs';
import { type NativeBackend, nativeBackend } from './backend.ts';
import { type GraphCache, readGraph, type StoredGraph, writeGraph } from './graph/cache.ts';
import { CannotCapture } from './graph/cannot-capture.ts';
import { encodeSavedModel } from './graph/encode.ts';
import { withKnownShapes } from './graph/known-shapes.ts';
import { castToLowPrecision } from './graph/mixed-precision.ts';
import { GraphSession } from './graph/session.ts';
import { nextInputEdge, STAGED_EDGE, takenInputEdge, withStaging } from './graph/staging.ts';
import { getterEdge, inputEdge, outputEdge, setterEdges, traceStep } from './graph/trace.ts';
import { tf } from './tf.ts';

export { CannotCapture } from './graph/cannot-capture.ts';

export type Precision = 'float32' | 'bfloat16' | 'float16';
export type Tensors = Record<string, Tensor>;

export interface CaptureOptions<I extends Tensors> {
  /** Examples: the graph takes these names, types and shapes, and no others. They stay the caller's. */
  inputs: I;
  /** Everything that the step reads or assigns and that outlives it: weights, statistics, optimiser slots. */
  variables: readonly Variable[];
  /** Tensors from outside that the step reads and that never change, e.g. a frozen teacher's weights. */
  constants?: readonly Tensor[];
  /** What convolutions and matrix products compute in; float32 unless given. Variables are float32 always. */
  precision?: Precision;
  /**
   * Whether `run` is to bring the next step's inputs to the device meanwhile. Worth it where they lie elsewhere: on a CPU it costs
   * TensorFlow its knowledge of their shapes, and with it some fused ops.
   */
  staged?: boolean;
  /** Where the graph is kept for the next process, and under which key. */
  cache?: GraphCache | null;
}

export interface CapturedStep<I extends Tensors, O extends Tensors> {
  /** Nodes of the graph. */
  readonly nodeCount: number;
  /** Whether the graph came from the cache. */
  readonly fromCache: boolean;
  /**
   * One step on the session's variables. The results are the caller's. Throws RangeError for inputs of another shape or type.
   * With `next`, the inputs of the step after this one, those are brought to the device while this one computes, if the capture
   * is `staged`; give the same tensors as `inputs` then.
   */
  run(inputs: I, next?: I | null): O;
  /** The names of the parts that `runPart` can compute: those that the step has as `stepPart`. */
  readonly parts: ReadonlySet<string>;
  /**
   * What a part of the step ends with, computed alone on the session's variables: nothing is assigned, and what was brought along
   * for the next step stays. The result is the caller's. Throws RangeError as `run` does, and for a part that there is not.
   */
  runPart(name: string, inputs: I): Tensor;
  /** Gives the session's variables the values of the tfjs ones. */
  push(): void;
  /** Gives the tfjs variables the session's values: before anything outside of the captured step reads them. */
  pull(): void;
  /** Frees the session. The tfjs variables keep what was last pulled. */
  dispose(): void;
}

/**
 * Captures `step`, a function of its inputs and the variables alone: JavaScript numbers, branches and tensors from elsewhere
 * would be frozen into the graph, and most of them are refused. `step` is called once for the recording, without computing
 * anything (not at all when the cache has its graph), and the graph is tried once; variables keep their values. Throws
 * CannotCapture, naming the op, when no graph can do what the step does; then run it eagerly.
 */
export function capture<I extends Tensors, O extends Tensors>(
  step: (inputs: I) => O,
  options: CaptureOptions<I>,
): CapturedStep<I, O> {
  const native = nativeBackend();
  if (native === null) throw new CannotCapture('backend', 'plain TensorFlow.js has no graphs');
  const { inputs, variables, constants = [], cache = null, precision = 'float32', staged = false } = options;
  const signature = JSON.stringify([
    tf.version,
    native.binding.TF_Version,
    precision,
    staged,
    describe(inputs),
    variables.map(shapeText),
  ]);
  const stored = cache === null ? null : readGraph(cache, signature);
  if (stored !== null) {
    const captured = new Captured<I, O>(native, stored, options, true);
    captured.push();
    return captured;
  }
  const { graph, outputNames, partEdges } = traceStep(native, step as never, inputs, variables, constants);
  const cast = precision === 'float32' ? graph : castToLowPrecision(graph, precision);
  const final = staged ? withStaging(cast, Object.keys(inputs)) : withKnownShapes(cast);
  const made = { signature, outputNames, partEdges, nodeCount: final.length, savedModel: encodeSavedModel(final) };
  const captured = new Captured<I, O>(native, made, options, false);
  try {
    captured.push();
    // An op that this device lacks is found here, while the step could still be run another way.
    tf.dispose(captured.run(inputs));
    captured.push();
  } catch (error) {
    captured.dispose();
    throw new CannotCapture('run', (error as Error).message, { cause: error });
  }
  if (cache !== null) writeGraph(cache, made);
  return captured;
}

class Captured<I extends Tensors, O extends Tensors> implements CapturedStep<I, O> {
  readonly nodeCount: number;
  readonly fromCache: boolean;
  readonly #session: GraphSession;
  readonly #outputNames: readonly string[];
  readonly #partEdges: ReadonlyMap<string, string>;
  readonly #inputs: ReadonlyMap<string, string>;
  readonly #variables: readonly Variable[];
  readonly #constants: readonly Tensor[];
  readonly #isStaged: boolean;
  #staged: I | null = null;

  constructor(native: NativeBackend, graph: StoredGraph, options: CaptureOptions<I>, fromCache: boolean) {
    this.nodeCount = graph.nodeCount;
    this.fromCache = fromCache;
    this.#outputNames = graph.outputNames;
    this.#partEdges = new Map(Object.entries(graph.partEdges));
    this.#inputs = new Map(Object.entries(options.inputs).map(([name, tensor]) => [name, shapeText(tensor)]));
    this.#variables = options.variables;
    this.#isStaged = options.staged ?? false;
    this.#constants = options.constants ?? [];
    this.#session = new GraphSession(native, graph.savedModel);
  }

  run(inputs: I, next: I | null = null): O {
    return this.#isStaged ? this.#runStaged(inputs, next) : this.#collect(this.#runFed(inputs));
  }

  get parts(): ReadonlySet<string> {
    return new Set(this.#partEdges.keys());
  }

  runPart(name: string, inputs: I): Tensor {
    const edge = this.#partEdges.get(name);
    if (edge === undefined) throw new RangeError(`The captured step has no part ${name}.`);
    const feeds = new Map<string, Tensor>();
    // Fed where the step finds them: then TensorFlow takes nothing out of the staging area.
    this.#feed(inputs, this.#isStaged ? (_, place) => takenInputEdge(place) : inputEdge, feeds);
    return this.#session.run(feeds, [edge])[0]!;
  }

  #runFed(inputs: I): Tensor[] {
    const feeds = new Map<string, Tensor>();
    this.#feed(inputs, inputEdge, feeds);
    return this.#session.run(feeds, this.#outputNames.map(outputEdge));
  }

  /**
   * Every step takes its inputs from the staging area and stages others, the first and the last one too: XLA compiles anew for every
   * other set of what is fed and fetched, which on a GPU costs more than many steps.
   */
  #runStaged(inputs: I, next: I | null): O {
    if (inputs !== this.#staged) {
      // Something else was announced: it is taken away, or this step would find it.
      if (this.#staged !== null) this.#unstage();
      const feeds = new Map<string, Tensor>();
      this.#feed(inputs, nextInputEdge, feeds);
      tf.dispose(this.#session.run(feeds, [STAGED_EDGE]));
    }
    this.#staged = null;
    const feeds = new Map<string, Tensor>();
    this.#feed(next ?? inputs, nextInputEdge, feeds);
    const results = this.#session.run(feeds, [...this.#outputNames.map(outputEdge), STAGED_EDGE]);
    results.pop()!.dispose();
    if (next === null) this.#unstage();
    else this.#staged = next;
    return this.#collect(results);
  }

  /** Empties the staging area. */
  #unstage(): void {
    tf.dispose(
      this.#session.run(
        new Map(),
        [...this.#inputs.keys()].map((_, place) => takenInputEdge(place)),
      ),
    );
  }

  #collect(results: Tensor[]): O {
    return Object.fromEntries(this.#outputNames.map((name, i) => [name, results[i]!])) as O;
  }

  #feed(inputs: I, edgeOf: (name: string, place: number) => string, feeds: Map<string, Tensor>): void {
    for (const [place, [name, wanted]] of [...this.#inputs].entries()) {
      const tensor = inputs[name];
      const given = tensor === undefined ? 'nothing' : shapeText(tensor);
      if (given !== wanted) throw new RangeError(`The captured step wants ${wanted} for ${name}, not ${given}.`);
      feeds.set(edgeOf(name, place), tensor!);
    }
  }

  push(): void {
    const values = [...this.#variables, ...this.#constants];
    const edges = values.map((_, index) => setterEdges(index));
    const feeds = new Map(values.map((value, index): [string, Tensor] => [edges[index]!.feed, value]));
    if (feeds.size > 0)
      tf.dispose(
        this.#session.run(
          feeds,
          edges.map(({ fetch }) => fetch),
        ),
      );
  }

  pull(): void {
    if (this.#variables.length === 0) return;
    const values = this.#session.run(
      new Map(),
      this.#variables.map((_, index) => getterEdge(index)),
    );
    for (const [index, variable] of this.#variables.entries()) {
      variable.assign(values[index]!);
      values[index]!.dispose();
    }
  }

  dispose(): void {
    this.#session.dispose();
  }
}

const shapeText = (tensor: Tensor): string => `${tensor.dtype}[${tensor.shape}]`;
const describe = (tensors: Tensors): [string, string][] =>
  Object.entries(tensors).map(([name, tensor]) => [name, shapeText(tensor)]);
