/**
 * Records what a step asks of TensorFlow: every op with its attributes and inputs, every constant that comes from JavaScript. The
 * step's own code runs as always, so tfjs's gradients apply, but its ops are described instead of computed.
 */
import type { Tensor, Variable } from '@tensorflow/tfjs';
import type { NativeBackend, OpAttribute, TensorMetadata } from '../backend.ts';
import { tf } from '../tf.ts';
import { CannotCapture } from './cannot-capture.ts';
import { DryRun, type Operand } from './dry-run.ts';
import {
  type Attribute,
  DTYPE_NUMBERS,
  dtypeOf,
  type Graph,
  type GraphNode,
  type NodeOutput,
  shape,
  type,
} from './graph.ts';

/** Ops that draw their own random numbers: a graph would need their seeds and counters. Feed random numbers as inputs. */
const RANDOM_OPS = /^(Stateless)?(Random|Multinomial|TruncatedNormal|ParameterizedTruncated)/;

/** Tensors that are only described have ids from here on, far above those that TensorFlow gives. */
const FIRST_DESCRIBED = 2 ** 30;

/** A variable's handle, the tensor that it was read as, the nodes that read it and those that changed it in place. */
interface KnownVariable {
  handle: string;
  id: number;
  readers: string[];
  updates: string[];
}

let active: Recorder | null = null;

/** The recorder of the step that is being captured, or null: for kernels that have something better to offer a graph. */
export const activeRecorder = (): Recorder | null => active;

export class Recorder {
  readonly graph: Graph = [];
  readonly #native: NativeBackend;
  /** What is known of a tensor, by its id. TensorFlow's handles are numbered once and never again. */
  readonly #tensors = new Map<number, Operand & { edge: string }>();
  readonly #dryRun: DryRun;
  #lastDescribed = FIRST_DESCRIBED;
  readonly #variables = new Map<Tensor, KnownVariable>();
  /** Variables that an op has changed in place, by the id of the tensor that they were read as. */
  readonly #overwritten = new Set<number>();
  readonly #updates: string[] = [];
  readonly #partEdges = new Map<string, string>();

  constructor(native: NativeBackend) {
    this.#native = native;
    this.#dryRun = new DryRun(native.binding);
    // A variable that JavaScript still holds would be uploaded during the recording and be taken for a constant.
    for (const variable of Object.values(tf.engine().state.registeredVariables)) this.#idOf(variable);
  }

  /** An input of the graph, under its own name. */
  addInput(name: string, tensor: Tensor): void {
    this.#place(name, tensor);
  }

  /** A variable, or a tensor that never changes, that stays in the session from step to step. */
  addVariable(name: string, variable: Tensor): void {
    const [output] = this.#outputsOf(variable);
    const attributes = { dtype: type(output.dtype), shape: shape(output.shape) };
    this.#add(name, 'VarHandleOp', [], { ...attributes, shared_name: { kind: 'string', value: name } }, [
      { dtype: 'resource', shape: [] },
    ]);
    const read = this.#add(`${name}/read`, 'ReadVariableOp', [`${name}:0`], { dtype: type(output.dtype) }, [output]);
    const id = this.#idOf(variable);
    this.#tensors.set(id, { ...output, edge: `${read}:0`, id, bytes: null });
    this.#variables.set(variable, { handle: name, id, readers: [read], updates: [] });
  }

  /** Where the parts of the step end, by name: edges behind which nothing is assigned. */
  get partEdges(): ReadonlyMap<string, string> {
    return this.#partEdges;
  }

  /** Ends the part `name` of the step with `tensor`. The graph stays as it is. */
  addPart(name: string, tensor: Tensor): void {
    this.#partEdges.set(name, this.#edgeOf(tensor, name));
  }

  /** Runs `step` with everything that it asks of TensorFlow recorded. Throws CannotCapture where a graph could not do the same. */
  record<T>(step: () => T): T {
    if (active !== null) throw new Error('A step is being captured already: captures cannot be nested.');
    const { binding } = this.#native;
    const random = Math.random;
    this.#native.binding = this.#recording(binding);
    active = this;
    // tfjs seeds its random tensors from here. Drawn once, they would be the same in every step.
    Math.random = () => {
      throw new CannotCapture('Math.random', 'random numbers drawn in JavaScript would be the same in every step');
    };
    try {
      return step();
    } finally {
      Math.random = random;
      active = null;
      this.#native.binding = binding;
    }
  }

  /**
   * Emits an op that changes variables where they lie, e.g. ResourceApplyMomentum. `operands` in the op's order: a variable
   * stands for its place, a tensor for its value. Nothing is computed now. Afterwards the step may not use the variables
   * that are changed, except through `readUpdated` and in further updates, which come after this one.
   */
  updateInPlace(
    op: string,
    changed: readonly Variable[],
    operands: readonly Tensor[],
    attributes: GraphNode['attributes'],
  ) {
    const inputs = operands.map((operand) => {
      const place = changed.find((variable) => variable === operand);
      return place === undefined ? this.#edgeOf(operand, op) : `${this.#known(place).handle}:0`;
    });
    const known = changed.map((variable) => this.#known(variable));
    const earlier = known.flatMap(({ readers, updates }) => [...readers, ...updates]).map((node) => `^${node}`);
    const name = this.#add(this.#newName(op), op, [...inputs, ...earlier], attributes, []);
    this.#updates.push(name);
    for (const { id, updates } of known) {
      updates.push(name);
      this.#overwritten.add(id);
    }
  }

  /** The value of a variable after `updateInPlace`, as a tensor of the caller's. Its value during the recording means nothing. */
  readUpdated(variable: Variable): Tensor {
    const { handle, readers, updates } = this.#known(variable);
    const [output] = this.#outputsOf(variable);
    const order = updates.map((update) => `^${update}`);
    const name = this.#newName('ReadVariableOp');
    this.#add(name, 'ReadVariableOp', [`${handle}:0`, ...order], { dtype: type(output.dtype) }, [output]);
    readers.push(name);
    // Any tensor of that shape serves, as long as its id is its own.
    const standIn = tf.fill(variable.shape, 0, variable.dtype as 'float32');
    const id = this.#idOf(standIn);
    this.#tensors.set(id, { ...this.#tensors.get(id)!, edge: `${name}:0` });
    return standIn;
  }

  /** Ends the recording, from within: writes back what the step assigned, and names the outputs. */
  finish(outputs: Record<string, Tensor>): void {
    for (const [variable, { handle, id, readers }] of this.#variables) {
      const now = this.#idOf(variable);
      if (now === id) continue;
      const dtype = type(this.#outputsOf(variable)[0].dtype);
      const order = readers.map((reader) => `^${reader}`);
      const inputs = [`${handle}:0`, this.#edgeOf(variable, 'assign'), ...order];
      this.#updates.push(this.#add(`${handle}/assign`, 'AssignVariableOp', inputs, { dtype }, []));
    }
    const order = this.#updates.map((update) => `^${update}`);
    for (const [name, tensor] of Object.entries(outputs)) {
      const edge = this.#edgeOf(tensor, name);
      const [output] = this.#outputsOf(tensor);
      this.#add(`output/${name}`, 'Identity', [edge, ...order], { T: type(output.dtype) }, [output]);
    }
  }

  #recording(binding: NativeBackend['binding']): NativeBackend['binding'] {
    // The addon's properties are read-only: they are shadowed, not overwritten.
    const shadow = Object.create(binding) as NativeBackend['binding'];
    const define = (name: string, value: unknown) => Object.defineProperty(shadow, name, { value });
    define('createTensor', (dims: number[], dtype: number, values: ArrayBufferView) => {
      const id = binding.createTensor(dims, dtype, values);
      this.#addConstant(id, dims, dtype, values);
      return id;
    });
    define('executeOp', (op: string, attributes: OpAttribute[], inputs: number[], count: number) => {
      if (RANDOM_OPS.test(op)) throw new CannotCapture(op, 'it draws random numbers');
      const operands = inputs.map((id) => this.#tensor(id, op));
      const converted = Object.fromEntries(
        attributes.map((attribute) => [attribute.name, convertAttribute(binding, attribute, op)]),
      );
      // tfjs casts what it averages to float32 and still names the type from before, which the eager runtime overlooks.
      if (op === 'Mean') converted.T = type('float32');
      const outputs = this.#dryRun.outputsOf(op, attributes, converted, operands, count);
      const edges = operands.map(({ edge }) => edge);
      // The newer name of the same op: TensorFlow's rewriting and some of its GPU kernels know no other.
      const current = op === 'Add' ? 'AddV2' : op;
      const name = this.#add(this.#newName(op), current, edges, converted, outputs);
      return outputs.map((output, k) => this.#describe(output, `${name}:${k}`));
    });
    define('deleteTensor', (id: number) => {
      if (id < FIRST_DESCRIBED) binding.deleteTensor(id);
    });
    define('tensorDataSync', () => {
      throw new CannotCapture('dataSync', 'the step looks at numbers while it runs');
    });
    return shadow;
  }

  /** A tensor that only exists here. */
  #describe(output: NodeOutput, edge: string): TensorMetadata {
    const id = this.#lastDescribed++;
    this.#tensors.set(id, { ...output, edge, id: null, bytes: null });
    return { id, shape: output.shape, dtype: DTYPE_NUMBERS[output.dtype] };
  }

  #addConstant(id: number, dims: number[], number: number, values: ArrayBufferView): void {
    const dtype = dtypeOf(number);
    if (dtype === null || !ArrayBuffer.isView(values)) throw new CannotCapture('Const', `of TensorFlow type ${number}`);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const value: Attribute = { kind: 'tensor', dtype, shape: [...dims], bytes };
    const name = this.#add(this.#newName('Const'), 'Const', [], { dtype: type(dtype), value }, [
      { dtype, shape: [...dims] },
    ]);
    this.#tensors.set(id, { dtype, shape: [...dims], edge: `${name}:0`, id, bytes });
  }

  #place(name: string, tensor: Tensor): void {
    const [output] = this.#outputsOf(tensor);
    this.#add(name, 'Placeholder', [], { dtype: type(output.dtype), shape: shape(output.shape) }, [output]);
    const id = this.#idOf(tensor);
    this.#tensors.set(id, { ...output, edge: `${name}:0`, id, bytes: null });
  }

  #add(name: string, op: string, inputs: string[], attributes: GraphNode['attributes'], outputs: NodeOutput[]): string {
    this.graph.push({ name, op, inputs, attributes, outputs });
    return name;
  }

  #newName(op: string): string {
    return `n${this.graph.length}_${op}`;
  }

  #edgeOf(tensor: Tensor, op: string): string {
    return this.#tensor(this.#idOf(tensor), op).edge;
  }

  #tensor(id: number, op: string): Operand & { edge: string } {
    if (this.#overwritten.has(id)) throw new CannotCapture(op, 'it reads a variable after an update in place');
    const tensor = this.#tensors.get(id);
    if (tensor === undefined)
      throw new CannotCapture(op, 'it reads a tensor that is neither input, variable nor constant');
    return tensor;
  }

  #known(variable: Variable): KnownVariable {
    const known = this.#variables.get(variable);
    if (known === undefined)
      throw new CannotCapture('assign', `variable ${variable.name} is not among the captured ones`);
    return known;
  }

  #idOf(tensor: Tensor): number {
    return this.#native.getInputTensorIds([tensor])[0]!;
  }

  #outputsOf(tensor: Tensor): [NodeOutput] {
    const dtype = dtypeOf(this.#native.tensorMap.get(tensor.dataId).dtype);
    if (dtype === null) throw new CannotCapture('Placeholder', `of type ${tensor.dtype}`);
    return [{ dtype, shape: [...tensor.shape] }];
  }
}

/** Throws CannotCapture for a kind that the graph's encoding does not know. */
function convertAttribute(
  binding: NativeBackend['binding'],
  { type: kind, value }: OpAttribute,
  op: string,
): Attribute {
  const isList = Array.isArray(value);
  if (kind === binding.TF_ATTR_SHAPE && isList) return { kind: 'shape', value: [...(value as number[])] };
  if (kind === binding.TF_ATTR_INT) {
    return isList ? { kind: 'ints', value: [...(value as number[])] } : { kind: 'int', value: value as number };
  }
  if (kind === binding.TF_ATTR_FLOAT) {
    return isList ? { kind: 'floats', value: [...(value as number[])] } : { kind: 'float', value: value as number };
  }
  if (kind === binding.TF_ATTR_TYPE && !isList) {
    const dtype = dtypeOf(value as number);
    if (dtype !== null) return { kind: 'type', value: dtype };
  }
  if (kind === binding.TF_ATTR_BOOL && !isList) return { kind: 'bool', value: value as boolean };
  if (kind === binding.TF_ATTR_STRING && !isList) return { kind: 'string', value: value as string };
  throw new CannotCapture(op, `an attribute of kind ${kind} is not known`);
}
