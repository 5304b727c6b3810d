/**
 * Every kind of op in a captured training step, alone, pinned to the device: which of them have no kernel there in low
 * precision, and how far its answer lies from float32's (null: no number, as for the logarithm of a random one). `node gpu-ops.ts [network] [precision ...]`, one JSON line each.
 */
import { createRequire } from 'node:module';
import { NetworkName } from '@mealtable/protocol/networks';
import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { type NativeBackend, nativeBackend } from '../../trainer/engine/backend.ts';
import { encodeSavedModel } from '../../trainer/engine/graph/encode.ts';
import { type DType, type Graph, type GraphNode, shape, type } from '../../trainer/engine/graph/graph.ts';
import { castToLowPrecision, type LowPrecision } from '../../trainer/engine/graph/mixed-precision.ts';
import { GraphSession } from '../../trainer/engine/graph/session.ts';
import { traceStep } from '../../trainer/engine/graph/trace.ts';
import { Rng } from '../../trainer/engine/rng.ts';
import { loadRuntime } from '../../trainer/engine/runtime.ts';
import { tf } from '../../trainer/engine/tf.ts';
import { createNetwork } from '../../trainer/models/create-network.ts';
import { createTrainingStep } from './steps.ts';

const FLOATS: ReadonlySet<DType> = new Set(['float32', 'bfloat16', 'float16']);
/** They hold, pass or keep tensors, or cannot stand alone. */
const SKIPPED = /^(Placeholder|VarHandleOp|Const|NoOp|Identity|IdentityN|(Un)?[Ss]tage|.*Variable.*|Resource.*)$/;

/** The graph of a small training step of `name`: op kinds depend on the network, not on the sizes. */
function traceNetwork(native: NativeBackend, name: NetworkName): Graph {
  const step = createTrainingStep(createNetwork(name, 10, Rng.seeded(0)));
  const inputs = {
    images: tf.randomNormal([8, 64, 64, 3]),
    softLabels: tf.fill([8, 10], 0.1),
    learningRate: tf.scalar(0.01) as Scalar,
  };
  const { graph } = traceStep(native, step.run as never, inputs, step.variables, []);
  step.dispose();
  tf.dispose(inputs);
  return graph;
}

interface Alone {
  graph: Graph;
  feeds: { edge: string; shape: number[] }[];
}

/** `node` with its constants, and its other inputs fed as float32 and cast; null where an input is neither. */
function alone(node: GraphNode, byName: ReadonlyMap<string, GraphNode>): Alone | null {
  const graph: Graph = [];
  const feeds: Alone['feeds'] = [];
  const inputs: string[] = [];
  for (const [place, edge] of node.inputs.entries()) {
    if (edge.startsWith('^')) continue;
    const colon = edge.lastIndexOf(':');
    const source = byName.get(edge.slice(0, colon))!;
    const output = source.outputs[Number(edge.slice(colon + 1))]!;
    if (source.op === 'Const') {
      if (!graph.includes(source)) graph.push({ ...source, inputs: [] });
      inputs.push(edge);
    } else if (FLOATS.has(output.dtype)) {
      const outputs = [{ ...output, dtype: 'float32' as const }];
      const fed = { dtype: type('float32'), shape: shape(output.shape) };
      graph.push({ name: `fed${place}`, op: 'Placeholder', inputs: [], attributes: fed, outputs });
      graph.push(castNode(`cast${place}`, `fed${place}:0`, 'float32', output.dtype));
      feeds.push({ edge: `fed${place}:0`, shape: output.shape });
      inputs.push(`cast${place}:0`);
    } else return null;
  }
  graph.push({ ...node, name: 'op', inputs }, castNode('result', 'op:0', node.outputs[0]!.dtype, 'float32'));
  return { graph, feeds };
}

const castNode = (name: string, input: string, from: DType, to: DType): GraphNode => ({
  name,
  op: 'Cast',
  inputs: [input],
  attributes: { SrcT: type(from), DstT: type(to) },
  outputs: [],
});

interface NodeMessage {
  getName(): string;
  setDevice(device: string): void;
}

/** Without a device TensorFlow would quietly take the CPU where the GPU has no kernel. */
function pinned(savedModel: Uint8Array, device: string): Uint8Array {
  const { SavedModel } = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb');
  const message = SavedModel.deserializeBinary(savedModel);
  const nodes: NodeMessage[] = message.getMetaGraphsList()[0].getGraphDef().getNodeList();
  nodes.find((node) => node.getName() === 'op')!.setDevice(device);
  return message.serializeBinary();
}

function compute(native: NativeBackend, node: Alone, device: string, values: Tensor[]): Float32Array {
  const session = new GraphSession(native, pinned(encodeSavedModel(node.graph), device));
  try {
    const feeds = new Map(node.feeds.map(({ edge }, i): [string, Tensor] => [edge, values[i]!]));
    const [result] = session.run(feeds, ['result:0']);
    const numbers = result!.dataSync() as Float32Array;
    result!.dispose();
    return numbers;
  } finally {
    session.dispose();
  }
}

/** ||a - b|| / ||b||. */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / Math.max(norm, 1e-30));
}

function probe(native: NativeBackend, captured: Graph, precision: LowPrecision): object {
  const device = native.isUsingGpuDevice ? '/device:GPU:0' : '/device:CPU:0';
  const low = castToLowPrecision(captured, precision);
  const [lowByName, byName] = [low, captured].map((graph) => new Map(graph.map((node) => [node.name, node])));
  const failures: object[] = [];
  const distances: Record<string, number> = {};
  for (const node of low) {
    const original = byName!.get(node.name);
    const kind = `${node.op} ${node.outputs[0]?.dtype}`;
    if (original === undefined || SKIPPED.test(node.op) || kind in distances) continue;
    const [subject, reference] = [alone(node, lowByName!), alone(original, byName!)];
    if (subject === null || reference === null) continue;
    distances[kind] = Number.NaN;
    // A scalar is a constant that was cast, such as a padding's value.
    const values = subject.feeds.map(({ shape }) => (shape.length === 0 ? tf.scalar(0) : tf.randomNormal(shape)));
    try {
      const expected = compute(native, reference, device, values);
      distances[kind] = Number(distance(compute(native, subject, device, values), expected).toPrecision(3));
    } catch (error) {
      failures.push({ op: kind, error: (error as Error).message.slice(0, 400) });
    }
    tf.dispose(values);
  }
  return { precision, device, failures, distances };
}

const { versionText } = await loadRuntime();
const native = nativeBackend()!;
const [name = 'resnet50', ...precisions] = process.argv.slice(2);
const graph = traceNetwork(native, NetworkName.parse(name));
for (const precision of precisions.length > 0 ? precisions : ['bfloat16', 'float16']) {
  console.log(JSON.stringify({ network: name, versionText, ...probe(native, graph, precision as LowPrecision) }));
}
