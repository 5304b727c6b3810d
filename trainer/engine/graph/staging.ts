/**
 * Inputs that arrive while the step before them computes: the graph itself takes the next batch into TensorFlow's staging area,
 * on a GPU over its copy engine, and the next step takes it from there.
 */
import { type Graph, type GraphNode, type NodeOutput, shape, type } from './graph.ts';

/** Feed a tensor of the batch to come for input `name`. */
export const stagedInputEdge = (name: string): string => `next/${name}:0`;
/** Fetched together with the step: the batch to come is in. */
export const STAGED_EDGE = 'next/staged:0';
/** Named by both ends, so that they meet. */
const AREA = { kind: 'string', value: 'inputs' } as const;

/**
 * The same graph, whose inputs come from the staging area unless they are fed. Fed, they are what they were: TensorFlow does not
 * compute what it is given.
 */
export function withStaging(graph: Graph): Graph {
  const inputs = graph.filter(({ op, name }) => op === 'Placeholder' && name.startsWith('input/'));
  if (inputs.length === 0) return graph;
  const outputs = inputs.map((node) => node.outputs[0]!);
  const attributes = {
    dtypes: { kind: 'types', value: outputs.map(({ dtype }) => dtype) },
    shared_name: AREA,
  } as const;
  const nextName = ({ name }: GraphNode) => name.replace(/^input/, 'next');
  const nodes: Graph = [
    { name: 'next/taken', op: 'Unstage', inputs: [], attributes, outputs },
    ...inputs.map((node, k) => forward(node.name, `next/taken:${k}`, outputs[k]!)),
    ...inputs.map((node, k) => placeholder(nextName(node), outputs[k]!)),
    { name: 'next/put', op: 'Stage', inputs: inputs.map((node) => `${nextName(node)}:0`), attributes, outputs: [] },
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
  ];
  return [...nodes, ...graph.filter((node) => !inputs.includes(node))];
}

function placeholder(name: string, output: NodeOutput): GraphNode {
  const attributes = { dtype: type(output.dtype), shape: shape(output.shape) };
  return { name, op: 'Placeholder', inputs: [], attributes, outputs: [output] };
}

function forward(name: string, edge: string, output: NodeOutput): GraphNode {
  return { name, op: 'Identity', inputs: [edge], attributes: { T: type(output.dtype) }, outputs: [output] };
}
