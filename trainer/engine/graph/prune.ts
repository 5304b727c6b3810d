import type { Graph } from './graph.ts';

/** The part of `graph` that the nodes in `wanted` need, in the same order. */
export function prune(graph: Graph, wanted: Iterable<string>): Graph {
  const needed = new Set(wanted);
  const kept: Graph = [];
  for (const node of graph.toReversed()) {
    if (!needed.has(node.name)) continue;
    for (const input of node.inputs) needed.add(nodeOf(input));
    kept.push(node);
  }
  return kept.reverse();
}

/** The node that an edge ('node:0' or '^node') comes from. */
export function nodeOf(edge: string): string {
  return edge.startsWith('^') ? edge.slice(1) : edge.slice(0, edge.lastIndexOf(':'));
}
