import { type Graph, shape, type } from './graph.ts';

/**
 * The same graph, whose inputs are checked for their shapes where they come in. TensorFlow's rewriting does not trust the shapes
 * of what is fed, and without any it leaves residual additions unfused.
 */
export function withKnownShapes(graph: Graph): Graph {
  const checked = new Map<string, string>();
  const result: Graph = [];
  for (const node of graph) {
    result.push({ ...node, inputs: node.inputs.map((edge) => checked.get(edge) ?? edge) });
    if (node.op !== 'Placeholder' || !node.name.startsWith('input/')) continue;
    const [output] = node.outputs;
    const name = `${node.name}/checked`;
    const attributes = { T: type(output!.dtype), shape: shape(output!.shape) };
    result.push({ name, op: 'EnsureShape', inputs: [`${node.name}:0`], attributes, outputs: [output!] });
    checked.set(`${node.name}:0`, `${name}:0`);
  }
  return result;
}
