/** Which nodes of a graph compute in 16 bits. */
import type { DType, Graph, GraphNode } from './graph.ts';
import { ALLOW, BRIDGE, FOLLOW, INFER, SOURCE, TYPED_PORTS, typeAttribute } from './mixed-precision-lists.ts';

export type LowPrecision = 'bfloat16' | 'float16';

/** Whether the device has `op` in `dtype`; without one everything in the lists counts as present. */
export type HasKernel = (op: string, dtype: DType) => boolean;

/** An edge's source. */
export interface Source {
  node: GraphNode;
  output: number;
}

/** A graph with its edges resolved. */
export class Edges {
  readonly #nodes: ReadonlyMap<string, GraphNode>;

  constructor(graph: Graph) {
    this.#nodes = new Map(graph.map((node) => [node.name, node]));
  }

  /** Where a data edge comes from; null for a control edge. Throws on an edge from nowhere. */
  source(edge: string): Source | null {
    if (edge.startsWith('^')) return null;
    const colon = edge.lastIndexOf(':');
    const node = this.#nodes.get(edge.slice(0, colon));
    const output = Number(edge.slice(colon + 1));
    if (node?.outputs[output] === undefined)
      throw new Error(`The graph has an edge from ${edge}, which it does not hold.`);
    return { node, output };
  }

  /** The inputs of `node` whose type is its type attribute's, by place. */
  typedInputs(node: GraphNode): { place: number; source: Source }[] {
    const places = TYPED_PORTS[node.op]?.inputs;
    return node.inputs.flatMap((edge, place) => {
      const source = this.source(edge);
      if (source === null || source.node.outputs[source.output]!.dtype !== 'float32') return [];
      return places === undefined || places.includes(place) ? [{ place, source }] : [];
    });
  }
}

/** Whether output `index` of `node` has the type of its type attribute. */
export function isTypedOutput(node: GraphNode, index: number): boolean {
  const places = TYPED_PORTS[node.op]?.outputs;
  return node.outputs[index]!.dtype === 'float32' && (places === undefined || places.includes(index));
}

/**
 * The names of the nodes that compute in 16 bits: those of ALLOW; those of INFER on a path of such ops from one of ALLOW to
 * another, as long as they touch feature maps; then FOLLOW and SOURCE by their neighbours. So optimiser arithmetic, behind the
 * last filter gradient, is never among them, nor what prepares images or weights in front of the first convolution.
 */
export function chooseLowPrecision(graph: Graph, precision: LowPrecision, hasKernel: HasKernel): Set<string> {
  const edges = new Edges(graph);
  const can = (node: GraphNode): boolean => {
    const type = node.attributes[typeAttribute(node.op)];
    return type?.kind === 'type' && type.value === 'float32' && hasKernel(node.op, precision);
  };
  const low = new Set<string>();
  const infer = new Set<string>();
  const bridges = new Set<string>();
  for (const node of graph) {
    if (ALLOW.has(node.op) && can(node)) low.add(node.name);
    else if (INFER.has(node.op) && can(node)) infer.add(node.name);
    else if (BRIDGE.has(node.op)) bridges.add(node.name);
  }
  const passable = new Set([...infer, ...bridges]);
  const behind = nodesBehind(graph, edges, low, passable);
  const before = nodesBefore(graph, edges, low, passable);
  for (const node of graph) {
    const { name } = node;
    if (infer.has(name) && behind.has(name) && before.has(name) && touchesFeatureMap(node, edges)) low.add(name);
  }
  for (const node of graph) {
    if (FOLLOW.has(node.op) && can(node) && readsOnlyLow(node, edges, low)) low.add(node.name);
  }
  addSources(graph, edges, low, can);
  return low;
}

/** Nodes of `through` that a path of such nodes leads to from one of `from`. */
function nodesBehind(graph: Graph, edges: Edges, from: ReadonlySet<string>, through: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const node of graph) {
    if (!through.has(node.name)) continue;
    const isReached = edges.typedInputs(node).some(({ source: { node, output } }) => {
      return isTypedOutput(node, output) && (from.has(node.name) || found.has(node.name));
    });
    if (isReached) found.add(node.name);
  }
  return found;
}

/** Nodes of `through` from which a path of such nodes leads to one of `to`. */
function nodesBefore(graph: Graph, edges: Edges, to: ReadonlySet<string>, through: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  for (const node of graph.toReversed()) {
    if (!to.has(node.name) && !found.has(node.name)) continue;
    for (const { source } of edges.typedInputs(node)) {
      if (through.has(source.node.name) && isTypedOutput(source.node, source.output)) found.add(source.node.name);
    }
  }
  return found;
}

/**
 * Logits, losses and what a gate computes per image have a rank of 2 or less: too small for 16 bits to save time, and the
 * losses among them need all of float32.
 */
function touchesFeatureMap(node: GraphNode, edges: Edges): boolean {
  const ranks = [
    ...node.outputs.map(({ shape }) => shape.length),
    ...edges.typedInputs(node).map(({ source }) => source.node.outputs[source.output]!.shape.length),
  ];
  return Math.max(...ranks) >= 3;
}

function readsOnlyLow(node: GraphNode, edges: Edges, low: ReadonlySet<string>): boolean {
  const sources = edges.typedInputs(node).map(({ source }) => source);
  const isLow = ({ node, output }: Source): boolean => low.has(node.name) && isTypedOutput(node, output);
  return sources.some(isLow) && sources.every((source) => isLow(source) || source.node.op === 'Const');
}

/** Adds the nodes of SOURCE that low nodes read as such, and nobody else. */
function addSources(graph: Graph, edges: Edges, low: Set<string>, can: (node: GraphNode) => boolean): void {
  const lowReaders = new Map<string, number>();
  const readers = new Map<string, number>();
  const count = (counts: Map<string, number>, name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const node of graph) {
    for (const edge of node.inputs) {
      const source = edges.source(edge);
      if (source !== null) count(readers, source.node.name);
    }
    if (!low.has(node.name)) continue;
    for (const { source } of edges.typedInputs(node)) count(lowReaders, source.node.name);
  }
  for (const node of graph) {
    if (!SOURCE.has(node.op) || !can(node) || node.outputs[0]?.dtype !== 'float32') continue;
    // A float32 source would lose digits twice if it went through 16 bits for a reader that wants them all; it has a cast anyway.
    const reads = lowReaders.get(node.name) ?? 0;
    if (reads > 0 && reads === readers.get(node.name) && edges.typedInputs(node).length === 0) low.add(node.name);
  }
}
