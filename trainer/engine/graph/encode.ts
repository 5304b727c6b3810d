/** Graphs as TensorFlow reads them: a SavedModel whose variables are set by the graph itself. */
import { createRequire } from 'node:module';
import { type Attribute, DTYPE_NUMBERS, type Graph, type GraphNode } from './graph.ts';

/** GraphDef's version; TensorFlow 1.15 and everything after it reads this one. */
const PRODUCER = 1395;

/** The little of tfjs-node's generated protobuf classes that is used here. */
interface Message {
  serializeBinary(): Uint8Array;
}
type Setters = Message & Record<string, (value: unknown) => void> & { getAttrMap(): Map<string, unknown> };
type MessageClass = new () => Setters;
type Messages = Record<
  'GraphDef' | 'NodeDef' | 'AttrValue' | 'TensorShape' | 'Tensor' | 'VersionDef' | 'MetaGraphDef' | 'SavedModel',
  MessageClass
> & {
  TensorShape: MessageClass & { Dim: MessageClass };
  AttrValue: MessageClass & { ListValue: MessageClass };
  MetaGraphDef: MessageClass & { MetaInfoDef: MessageClass };
};

let loaded: Messages | undefined;

function messages(): Messages {
  const load = () => createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb') as Messages;
  loaded ??= load();
  return loaded;
}

/** The bytes of saved_model.pb with the tag `serve`. */
export function encodeSavedModel(graph: Graph): Uint8Array {
  const { GraphDef, VersionDef, MetaGraphDef, SavedModel } = messages();
  const graphDef = new GraphDef();
  for (const node of graph) graphDef.addNode!(encodeNode(node));
  const version = new VersionDef();
  version.setProducer!(PRODUCER);
  graphDef.setVersions!(version);
  const info = new MetaGraphDef.MetaInfoDef();
  info.addTags!('serve');
  const metaGraph = new MetaGraphDef();
  metaGraph.setMetaInfoDef!(info);
  metaGraph.setGraphDef!(graphDef);
  const savedModel = new SavedModel();
  savedModel.setSavedModelSchemaVersion!(1);
  savedModel.addMetaGraphs!(metaGraph);
  return savedModel.serializeBinary();
}

function encodeNode({ name, op, inputs, attributes }: GraphNode): Message {
  const node = new (messages().NodeDef)();
  node.setName!(name);
  node.setOp!(op);
  node.setInputList!(inputs);
  const map = node.getAttrMap();
  for (const [key, attribute] of Object.entries(attributes)) map.set(key, encodeAttribute(attribute));
  return node;
}

function encodeAttribute(attribute: Attribute): Message {
  const { AttrValue } = messages();
  const value = new AttrValue();
  switch (attribute.kind) {
    case 'type':
      value.setType!(DTYPE_NUMBERS[attribute.value]);
      break;
    case 'int':
      value.setI!(attribute.value);
      break;
    case 'float':
      value.setF!(attribute.value);
      break;
    case 'bool':
      value.setB!(attribute.value);
      break;
    case 'string':
      value.setS!(Buffer.from(attribute.value));
      break;
    case 'shape':
      value.setShape!(encodeShape(attribute.value));
      break;
    case 'tensor':
      value.setTensor!(encodeTensor(attribute));
      break;
    default:
      value.setList!(encodeList(attribute));
  }
  return value;
}

function encodeList(attribute: Extract<Attribute, { kind: 'types' | 'ints' | 'floats' | 'strings' }>): Message {
  const list = new (messages().AttrValue.ListValue)();
  switch (attribute.kind) {
    case 'types':
      list.setTypeList!(attribute.value.map((dtype) => DTYPE_NUMBERS[dtype]));
      break;
    case 'ints':
      list.setIList!(attribute.value);
      break;
    case 'floats':
      list.setFList!(attribute.value);
      break;
    case 'strings':
      list.setSList!(attribute.value.map((text) => Buffer.from(text)));
  }
  return list;
}

function encodeShape(shape: readonly number[]): Message {
  const { TensorShape } = messages();
  const message = new TensorShape();
  for (const size of shape) {
    const dimension = new TensorShape.Dim();
    dimension.setSize!(size);
    message.addDim!(dimension);
  }
  return message;
}

function encodeTensor({ dtype, shape, bytes }: Extract<Attribute, { kind: 'tensor' }>): Message {
  const tensor = new (messages().Tensor)();
  tensor.setDtype!(DTYPE_NUMBERS[dtype]);
  tensor.setTensorShape!(encodeShape(shape));
  tensor.setTensorContent!(bytes);
  return tensor;
}
