/** Mixed precision as a rewrite of a captured step: 16 bits where tensor cores multiply, float32 where digits count. */
import { type DType, type Graph, type GraphNode, type } from './graph.ts';
import {
  chooseLowPrecision,
  Edges,
  type HasKernel,
  isTypedOutput,
  type LowPrecision,
} from './mixed-precision-choice.ts';
import { typeAttribute } from './mixed-precision-lists.ts';

export type { HasKernel, LowPrecision } from './mixed-precision-choice.ts';

export interface MixedPrecisionOptions {
  /** Ops that the device lacks in `precision` stay float32. TensorFlow 2.21 has all of the lists', on CPUs and on GPUs. */
  hasKernel?: HasKernel;
}

/**
 * The same step with convolutions, matrix products and the feature maps between them in `precision`. Variables, batch norm's
 * statistics, losses, everything behind the last gradient of a filter and what the step returns stay float32. Wherever the
 * type of an edge changes a Cast is put in, one per tensor and type. `captured` is left as it is; nodes keep
 * their names.
 *
 * Activations between two convolutions are rounded to 8 significant bits in bfloat16, to 11 in float16. The latter reaches no
 * further than 65504 and needs a scaled loss: see loss-scale.ts.
 */
export function castToLowPrecision(
  captured: Graph,
  precision: LowPrecision,
  { hasKernel = () => true }: MixedPrecisionOptions = {},
): Graph {
  const graph = withoutIdleCasts(captured);
  const low = chooseLowPrecision(graph, precision, hasKernel);
  const edges = new Edges(graph);
  const result: Graph = [];
  const casts = new Map<string, string>();
  const names = new Set(graph.map(({ name }) => name));

  function cast(edge: string, from: DType, to: DType): string {
    const key = `${edge} ${to}`;
    const existing = casts.get(key);
    if (existing !== undefined) return existing;
    const { node, output } = edges.source(edge)!;
    const name = uniqueName(`${node.name}/output_${output}_as_${to}`, names);
    result.push({
      name,
      op: 'Cast',
      inputs: [edge],
      attributes: { SrcT: type(from), DstT: type(to), Truncate: { kind: 'bool', value: false } },
      outputs: [{ dtype: to, shape: node.outputs[output]!.shape }],
    });
    casts.set(key, `${name}:0`);
    return `${name}:0`;
  }

  for (const node of graph) {
    const isLow = low.has(node.name);
    const typed = new Set(isLow ? edges.typedInputs(node).map(({ place }) => place) : []);
    const inputs = node.inputs.map((edge, place) => {
      const source = edges.source(edge);
      if (source === null) return edge;
      const original = source.node.outputs[source.output]!.dtype;
      const actual = low.has(source.node.name) && isTypedOutput(source.node, source.output) ? precision : original;
      const wanted = typed.has(place) ? precision : original;
      return actual === wanted ? edge : cast(edge, actual, wanted);
    });
    result.push(isLow ? lowered({ ...node, inputs }, precision) : { ...node, inputs });
  }
  return result;
}

/** `node` computing in `precision`. */
function lowered(node: GraphNode, precision: LowPrecision): GraphNode {
  return {
    ...node,
    attributes: { ...node.attributes, [typeAttribute(node.op)]: type(precision) },
    outputs: node.outputs.map((output, i) => (isTypedOutput(node, i) ? { ...output, dtype: precision } : output)),
  };
}

function uniqueName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
  taken.add(name);
  return name;
}

/** `graph` without casts to the type that is there already, which tfjs puts in front of every mean: they would part 16-bit ops. */
function withoutIdleCasts(graph: Graph): Graph {
  const replaced = new Map<string, string>();
  const follow = (edge: string): string => replaced.get(edge) ?? edge;
  const result: Graph = [];
  for (const node of graph) {
    const inputs = node.inputs.map(follow);
    const { SrcT, DstT } = node.attributes;
    const isIdle = node.op === 'Cast' && SrcT?.kind === 'type' && DstT?.kind === 'type' && SrcT.value === DstT.value;
    if (isIdle && inputs.length === 1)
      replaced.set(`${node.name}:0`, inputs[0]!).set(`^${node.name}`, control(inputs[0]!));
    else result.push({ ...node, inputs });
  }
  return result;
}

/** The control edge from where a data edge comes from. */
function control(edge: string): string {
  return `^${edge.slice(0, edge.lastIndexOf(':'))}`;
}
