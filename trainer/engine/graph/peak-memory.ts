/** How much memory a graph needs at its fullest, from the shapes alone. */
import type { Graph, GraphNode, NodeOutput } from './graph.ts';

const ELEMENT_BYTES: Record<NodeOutput['dtype'], number> = {
  float32: 4,
  int32: 4,
  uint8: 1,
  string: 0,
  int64: 8,
  bool: 1,
  bfloat16: 2,
  float16: 2,
  resource: 0,
};

/** Their result is their first input under another name or shape; a variable that is read is not copied. */
const ALIASES: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Squeeze', 'ExpandDims', 'StopGradient']);
/** What they give is there before the step begins. */
const RESIDENT: ReadonlySet<string> = new Set(['ReadVariableOp', 'VarHandleOp', 'Const']);

interface Buffer {
  bytes: number;
  /** Index of the last node that reads it. */
  lastUse: number;
}

/**
 * The largest sum of what the nodes behind `outputs` hold at one time when they run one after the other, in their order, and
 * each result is freed after the last node that reads it. TensorFlow computes some results in the place of an input, and with
 * several threads more than one node at a time, so this is an estimate. Variables and constants do not count.
 * @param outputs names of nodes
 * @returns bytes
 */
export function estimatePeakBytes(graph: Graph, outputs: readonly string[]): number {
  const nodes = reachable(graph, outputs);
  const buffers = new Map<string, Buffer>();
  const all: Buffer[] = [];
  for (const [index, node] of nodes.entries()) {
    const read = dataInputs(node).flatMap((edge) => buffers.get(edge) ?? []);
    for (const buffer of read) buffer.lastUse = index;
    for (const [k, output] of node.outputs.entries()) {
      const alias = ALIASES.has(node.op) ? buffers.get(node.inputs[0]!) : undefined;
      const buffer = alias ?? { bytes: RESIDENT.has(node.op) ? 0 : bytesOf(output), lastUse: index };
      buffers.set(`${node.name}:${k}`, buffer);
      if (alias === undefined) all.push(buffer);
    }
  }
  for (const name of outputs) {
    const buffer = buffers.get(`${name}:0`);
    if (buffer) buffer.lastUse = nodes.length;
  }
  return walk(nodes, buffers, all);
}

function walk(nodes: Graph, buffers: ReadonlyMap<string, Buffer>, all: readonly Buffer[]): number {
  const freedAfter = new Map<number, number>();
  for (const { bytes, lastUse } of all) freedAfter.set(lastUse, (freedAfter.get(lastUse) ?? 0) + bytes);
  const begun = new Set<Buffer>();
  let held = 0;
  let peak = 0;
  for (const [index, node] of nodes.entries()) {
    for (const k of node.outputs.keys()) {
      const buffer = buffers.get(`${node.name}:${k}`)!;
      if (!begun.has(buffer)) held += buffer.bytes;
      begun.add(buffer);
    }
    peak = Math.max(peak, held);
    held -= freedAfter.get(index) ?? 0;
  }
  return peak;
}

/** In the graph's order. */
function reachable(graph: Graph, outputs: readonly string[]): Graph {
  const wanted = new Set(outputs);
  const kept: GraphNode[] = [];
  for (const node of graph.toReversed()) {
    if (!wanted.has(node.name)) continue;
    for (const edge of node.inputs) wanted.add(edge.replace(/^\^/, '').replace(/:\d+$/, ''));
    kept.push(node);
  }
  return kept.reverse();
}

const dataInputs = ({ inputs }: GraphNode): string[] => inputs.filter((edge) => !edge.startsWith('^'));

const bytesOf = ({ dtype, shape }: NodeOutput): number =>
  shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype]);
