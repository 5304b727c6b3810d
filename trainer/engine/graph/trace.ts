/** A recorded step as a graph, with what sets and gets its variables. */
import type { Tensor, Variable } from '@tensorflow/tfjs';
import type { NativeBackend } from '../backend.ts';
import { tf } from '../tf.ts';
import { type Graph, type NodeOutput, shape, type } from './graph.ts';
import { nodeOf, prune } from './prune.ts';
import { Recorder } from './recorder.ts';

export interface Trace {
  graph: Graph;
  outputNames: string[];
  /** What to fetch for each part of the step to be computed alone. */
  partEdges: Record<string, string>;
}

export const inputEdge = (name: string): string => `input/${name}:0`;
export const outputEdge = (name: string): string => `output/${name}:0`;
export const variableName = (index: number): string => `variable${index}`;
/** Feed the first with a value and fetch the second, and variable `index` has that value. */
export const setterEdges = (index: number): { feed: string; fetch: string } => ({
  feed: `${variableName(index)}/new:0`,
  fetch: `${variableName(index)}/set:0`,
});
export const getterEdge = (index: number): string => `${variableName(index)}/get:0`;

/**
 * Records `step` without computing it. Variables are given back as they were found. Throws CannotCapture, and whatever the step
 * throws.
 */
export function traceStep(
  native: NativeBackend,
  step: (inputs: Record<string, Tensor>) => Record<string, Tensor>,
  inputs: Readonly<Record<string, Tensor>>,
  variables: readonly Variable[],
  constants: readonly Tensor[],
): Trace {
  const recorder = new Recorder(native);
  for (const [name, tensor] of Object.entries(inputs)) recorder.addInput(`input/${name}`, tensor);
  // A constant is a variable that nothing assigns.
  const resident = [...variables, ...constants];
  for (const [index, tensor] of resident.entries()) recorder.addVariable(variableName(index), tensor);
  const before = variables.map((variable) => tf.keep(variable.clone()));
  const outputNames = recorder.record(() => {
    try {
      return tf.tidy(() => {
        const outputs = step(inputs);
        recorder.finish(outputs);
        return Object.keys(outputs);
      });
    } finally {
      // What was assigned exists in the recording only, so it has to go before the recording ends.
      for (const [index, variable] of variables.entries()) variable.assign(before[index]!);
      tf.dispose(before);
    }
  });
  const outputs = outputNames.map((name) => `output/${name}`);
  const partEdges = Object.fromEntries(recorder.partEdges);
  const parts = Object.values(partEdges).map(nodeOf);
  // An input that the step makes no use of is kept, so that it can be fed like any other.
  const graph = prune(recorder.graph, [...outputs, ...parts, ...Object.keys(inputs).map((name) => `input/${name}`)]);
  return { graph: [...graph, ...accessors(recorder.graph, graph, resident.length)], outputNames, partEdges };
}

/** Nodes that set and get each variable, and its handle where the step did not use it. */
function accessors(recorded: Graph, kept: Graph, count: number): Graph {
  const present = new Set(kept.map(({ name }) => name));
  return Array.from({ length: count }, (_, index): Graph => {
    const name = variableName(index);
    const handle = recorded.find((node) => node.name === name)!;
    const [output] = recorded.find((node) => node.name === `${name}/read`)!.outputs as [NodeOutput];
    const dtype = type(output.dtype);
    const T = dtype;
    const node = (suffix: string, op: string, inputs: string[], attributes: Graph[number]['attributes']) => ({
      name: `${name}/${suffix}`,
      op,
      inputs,
      attributes,
      outputs: op === 'AssignVariableOp' ? [] : [output],
    });
    return [
      ...(present.has(name) ? [] : [handle]),
      node('new', 'Placeholder', [], { dtype, shape: shape(output.shape) }),
      node('write', 'AssignVariableOp', [`${name}:0`, `${name}/new:0`], { dtype }),
      // A scalar for an answer: fetching the value itself would copy it.
      { ...node('set', 'Const', [`^${name}/write`], constantOne()), outputs: [{ dtype: 'int32', shape: [] }] },
      node('value', 'ReadVariableOp', [`${name}:0`], { dtype }),
      node('get', 'Identity', [`${name}/value:0`], { T }),
    ];
  }).flat();
}

function constantOne(): Graph[number]['attributes'] {
  const bytes = new Uint8Array(Int32Array.of(1).buffer);
  return { dtype: type('int32'), value: { kind: 'tensor', dtype: 'int32', shape: [], bytes } };
}
