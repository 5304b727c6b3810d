import { describe, expect, test } from 'vitest';
import type { Graph, GraphNode } from '../../trainer/engine/graph/graph.ts';
import { estimatePeakBytes } from '../../trainer/engine/graph/peak-memory.ts';

/** A node whose result has so many float32 elements. */
const node = (name: string, op: string, inputs: string[], ...sizes: number[]): GraphNode => ({
  name,
  op,
  inputs,
  attributes: {},
  outputs: sizes.map((size) => ({ dtype: 'float32', shape: [size] })),
});
const peakOf = (...graph: Graph) => estimatePeakBytes(graph, ['out']) / 4;

describe('the memory of a graph at its fullest', () => {
  test('is that of a node’s result and what is still to be read', () => {
    // x (10) is read last by b: 10 + 100 at a, 10 + 100 + 1 at b, then 1 + 1.
    const graph = [
      node('x', 'Placeholder', [], 10),
      node('a', 'Tile', ['x:0'], 100),
      node('b', 'AddV2', ['a:0', 'x:0'], 1),
      node('out', 'Neg', ['b:0'], 1),
    ];
    expect(peakOf(...graph)).toBe(111);
  });

  test('counts a result until its last reader, and not longer', () => {
    const chain = [
      node('a', 'Placeholder', [], 100),
      node('b', 'Relu', ['a:0'], 100),
      node('c', 'Relu', ['b:0'], 100),
      node('out', 'Sum', ['c:0'], 1),
    ];
    expect(peakOf(...chain)).toBe(200);
    expect(peakOf(...chain.slice(0, 3), node('out', 'Max', ['c:0', 'a:0'], 1))).toBe(300);
  });

  test('does not count another name for the same numbers, nor what lies in variables and constants', () => {
    const graph = [
      node('v', 'VarHandleOp', [], 0),
      node('v/read', 'ReadVariableOp', ['v:0'], 1000),
      node('k', 'Const', [], 1000),
      node('a', 'AddV2', ['v/read:0', 'k:0'], 10),
      node('b', 'Reshape', ['a:0', 'k:0'], 10),
      node('out', 'Sum', ['b:0'], 1),
    ];
    expect(peakOf(...graph)).toBe(11);
  });

  test('counts neither what nobody asked for, nor results that nobody reads beyond their node', () => {
    const graph = [
      node('a', 'Split', [], 10, 20),
      node('unasked', 'Tile', ['a:0'], 5000),
      node('b', 'Tile', ['a:0', '^a'], 100),
      node('out', 'Sum', ['b:0'], 1),
    ];
    // 10 + 20 at a; the 20 are gone before b.
    expect(peakOf(...graph)).toBe(110);
  });
});
