/**
 * Inputs that arrive while the step before them computes: the graph itself takes the next batch into TensorFlow's staging area,
 * on a GPU over its copy engine, and the next step takes it from there.
 */
import { type Graph, type GraphNode, type NodeOutput, shape, type } from './graph.ts';

/** Feed a tensor of the batch to come for input `name`. */
export const nextInputEdge = (name: string): string => `next/${name}:0`;
/** Where the step finds its input at place `k`: brought along with the step before, or fed. */
export const takenInputEdge = (k: number): string => `next/taken:${k}`;
/** Fetched together with the step: the batch to come is in. */
export const STAGED_EDGE = 'next/staged:0';
/** Named by both ends, so that they meet. */
const AREA = { kind: 'string', value: 'inputs' } as const;

/**
 * The same graph, whose inputs come from the staging area unless they are fed: TensorFlow does not compute what it is given.
 * `names` are the inputs in the order of `takenInputEdge`.
 */
export function withStaging(graph: Graph, names: readonly string[]): Graph {
  if (names.length === 0) return graph;
  const inputs = names.map((name) => graph.find((node) => node.name === `input/${name}`)!);
  const outputs = inputs.map((node) => node.outputs[0]!);
  const edges = new Map(names.map((name, k) => [`input/${name}:0`, takenInputEdge(k)]));
  const attributes = {
    dtypes: { kind: 'types', value: outputs.map(({ dtype }) => dtype) },
    shared_name: AREA,
  } as const;
  const puts = names.map((name) => nextInputEdge(name));
  return [
    { name: 'next/taken', op: 'Unstage', inputs: [], attributes, outputs },
    ...names.map((name, k) => placeholder(`next/${name}`, outputs[k]!)),
    { name: 'next/put', op: 'Stage', inputs: puts, attributes, outputs: [] },
    {
      name: 'next/staged',
      op: 'Const',
      inputs: ['^next/put'],
      attributes: {
        dtype: type('int32'),
        value: { kind: 'tensor', dtype: 'int32', shape: [], bytes: new Uint8Array(4) },
      },
      outputs: [{ dtype: 'int32', shape: [] }],
    },
    ...graph
      .filter((node) => !inputs.includes(node))
      // Without a node in between: on a GPU one for int32 would bring the bytes back to the host.
      .map((node) => ({ ...node, inputs: node.inputs.map((edge) => edges.get(edge) ?? edge) })),
  ];
}

function placeholder(name: string, output: NodeOutput): GraphNode {
  const attributes = { dtype: type(output.dtype), shape: shape(output.shape) };
  return { name, op: 'Placeholder', inputs: [], attributes, outputs: [output] };
}
