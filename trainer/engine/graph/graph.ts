/** A TensorFlow graph as plain data: what a capture records, what passes rewrite, what a session runs. */

/** TensorFlow's numbers for the element types that occur here (tensorflow/core/framework/types.proto). */
export const DTYPE_NUMBERS = {
  float32: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
} as const;

export type DType = keyof typeof DTYPE_NUMBERS;

const DTYPES_BY_NUMBER = new Map<number, DType>(
  Object.entries(DTYPE_NUMBERS).map(([dtype, number]) => [number, dtype as DType]),
);

/** The element type that TensorFlow calls `number`, or null for one that is not used here. */
export function dtypeOf(number: number): DType | null {
  return DTYPES_BY_NUMBER.get(number) ?? null;
}

export type Attribute =
  | { kind: 'type'; value: DType }
  | { kind: 'types'; value: DType[] }
  | { kind: 'int'; value: number }
  | { kind: 'ints'; value: number[] }
  | { kind: 'float'; value: number }
  | { kind: 'floats'; value: number[] }
  | { kind: 'bool'; value: boolean }
  | { kind: 'string'; value: string }
  | { kind: 'strings'; value: string[] }
  | { kind: 'shape'; value: number[] }
  | { kind: 'tensor'; dtype: DType; shape: number[]; bytes: Uint8Array };

export interface NodeOutput {
  dtype: DType;
  /** Static: known from the step that was recorded. */
  shape: number[];
}

export interface GraphNode {
  name: string;
  op: string;
  /** Data edges 'node:0', always with the output's index, then control edges '^node'. */
  inputs: string[];
  attributes: Record<string, Attribute>;
  outputs: NodeOutput[];
}

/** In topological order: a node's inputs stand before it. */
export type Graph = GraphNode[];

export const type = (value: DType): Attribute => ({ kind: 'type', value });
export const shape = (value: readonly number[]): Attribute => ({ kind: 'shape', value: [...value] });
