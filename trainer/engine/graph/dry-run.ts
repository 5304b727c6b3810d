/**
 * What an op would give, without computing a step: heavy ops by their rules, all others by TensorFlow itself on zeros, one at
 * a time. So a recording takes seconds and next to no memory, however large the batch.
 */
import type { NativeBinding, OpAttribute } from '../backend.ts';
import { CannotCapture } from './cannot-capture.ts';
import { DTYPE_NUMBERS, dtypeOf, type GraphNode, type NodeOutput } from './graph.ts';
import { inferOutputs } from './infer-outputs.ts';

/** An input of an op: a real tensor of TensorFlow's, or one that is only described. */
export interface Operand extends NodeOutput {
  /** Its handle; null where there is no tensor. */
  id: number | null;
  /** The bytes of a constant. */
  bytes: Uint8Array | null;
}

/** Constants up to this size are part of what an op is remembered by; ops with larger ones are asked again. */
const MAX_KEY_BYTES = 1024;

export class DryRun {
  readonly #binding: NativeBinding;
  readonly #known = new Map<string, NodeOutput[]>();

  constructor(binding: NativeBinding) {
    this.#binding = binding;
  }

  /** Throws what TensorFlow says of an op that it refuses, and CannotCapture for a result of a type that no graph carries. */
  outputsOf(
    op: string,
    given: OpAttribute[],
    attributes: GraphNode['attributes'],
    operands: Operand[],
    count: number,
  ): NodeOutput[] {
    const numbers = (k: number) => integers(operands[k]!);
    const inferred = inferOutputs(op, operands, attributes, numbers);
    if (inferred !== null) return inferred;
    const key = keyOf(op, attributes, operands);
    const known = key === null ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const outputs = this.#execute(op, given, operands, count);
    if (key !== null) this.#known.set(key, outputs);
    return outputs;
  }

  #execute(op: string, given: OpAttribute[], operands: Operand[], count: number): NodeOutput[] {
    const temporary: number[] = [];
    try {
      const ids = operands.map((operand) => {
        if (operand.id !== null) return operand.id;
        const id = this.#zeros(operand);
        temporary.push(id);
        return id;
      });
      const results = this.#binding.executeOp(op, given, ids, count);
      temporary.push(...results.map(({ id }) => id));
      return results.map(({ dtype: number, shape }) => {
        const dtype = dtypeOf(number);
        if (dtype === null) throw new CannotCapture(op, `it gives a tensor of TensorFlow type ${number}`);
        return { dtype, shape: [...shape] };
      });
    } finally {
      for (const id of temporary) this.#binding.deleteTensor(id);
    }
  }

  #zeros({ dtype, shape }: NodeOutput): number {
    const { TF_ATTR_TYPE, TF_INT32 } = this.#binding;
    const number = DTYPE_NUMBERS[dtype];
    const dimensions = this.#binding.createTensor([shape.length], TF_INT32, Int32Array.from(shape));
    const zero = this.#binding.createTensor([], number, ZERO[dtype] ?? Int32Array.of(0));
    try {
      const attributes = [
        { name: 'T', type: TF_ATTR_TYPE, value: number },
        { name: 'index_type', type: TF_ATTR_TYPE, value: TF_INT32 },
      ];
      return this.#binding.executeOp('Fill', attributes, [dimensions, zero], 1)[0]!.id;
    } finally {
      for (const id of [dimensions, zero]) this.#binding.deleteTensor(id);
    }
  }
}

const ZERO: Partial<Record<NodeOutput['dtype'], ArrayBufferView>> = {
  float32: Float32Array.of(0),
  int32: Int32Array.of(0),
  bool: Uint8Array.of(0),
  uint8: Uint8Array.of(0),
};

function integers({ bytes, dtype }: Operand): number[] | null {
  if (bytes === null || dtype !== 'int32') return null;
  return [...new Int32Array(bytes.slice().buffer)];
}

function keyOf(op: string, attributes: GraphNode['attributes'], operands: Operand[]): string | null {
  if (operands.some(({ bytes }) => bytes !== null && bytes.length > MAX_KEY_BYTES)) return null;
  const inputs = operands.map(({ dtype, shape, bytes }) => [dtype, shape, bytes && [...bytes]]);
  return JSON.stringify([op, attributes, inputs]);
}
