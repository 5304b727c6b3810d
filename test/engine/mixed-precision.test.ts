import { describe, expect, test } from 'vitest';
import { type Attribute, type DType, type Graph, type GraphNode, type } from '../../trainer/engine/graph/graph.ts';
import { castToLowPrecision } from '../../trainer/engine/graph/mixed-precision.ts';

const MAP = [2, 4, 4, 8];

interface Extra {
  shape?: number[];
  dtypes?: DType[];
  attributes?: Record<string, Attribute>;
}

/** A node whose outputs are float32 maps unless told otherwise. */
function node(name: string, op: string, inputs: string[], { shape = MAP, dtypes, attributes }: Extra = {}): GraphNode {
  return {
    name,
    op,
    inputs: inputs.map((input) => (input.startsWith('^') || input.includes(':') ? input : `${input}:0`)),
    attributes: attributes ?? { T: type('float32') },
    outputs: (dtypes ?? ['float32']).map((dtype) => ({ dtype, shape })),
  };
}

function variable(name: string, shape: number[]): Graph {
  return [
    node(name, 'VarHandleOp', [], { shape: [], dtypes: ['resource'], attributes: { dtype: type('float32') } }),
    node(`${name}/read`, 'ReadVariableOp', [name], { shape, attributes: { dtype: type('float32') } }),
  ];
}

const placeholder = (name: string, shape = MAP) =>
  node(name, 'Placeholder', [], { shape, attributes: { dtype: type('float32') } });
const conv = (name: string, x: string, filter = 'filter/read') => node(name, 'Conv2D', [x, filter]);
const filter = variable('filter', [3, 3, 8, 8]);
const sizes = node('sizes', 'Const', [], { shape: [4], dtypes: ['int32'], attributes: { dtype: type('int32') } });
const statistics: Graph = ['gamma', 'beta', 'mean', 'variance'].flatMap((name) => variable(name, [8]));
const norm = (name: string, x: string) =>
  node(name, 'FusedBatchNormV3', [x, 'gamma/read', 'beta/read', 'mean/read', 'variance/read'], {
    dtypes: ['float32', 'float32', 'float32', 'float32', 'float32', 'float32'],
    attributes: { T: type('float32'), U: type('float32') },
  });

/** What each op's inputs are in TensorFlow's registry: an attribute's name, or a type. */
const SIGNATURES: Record<string, string[]> = {
  Conv2D: ['T', 'T'],
  Conv2DBackpropInput: ['int32', 'T', 'T'],
  Conv2DBackpropFilter: ['T', 'int32', 'T'],
  MatMul: ['T', 'T'],
  FusedBatchNormV3: ['T', 'U', 'U', 'U', 'U'],
  FusedBatchNormGradV3: ['T', 'T', 'U', 'U', 'U', 'U'],
  Cast: ['SrcT'],
  AssignVariableOp: ['resource', 'dtype'],
  ReadVariableOp: ['resource'],
};

function dtypeOfEdge(graph: Graph, edge: string): DType {
  const [name, output] = edge.split(':') as [string, string];
  return graph.find((node) => node.name === name)!.outputs[Number(output)]!.dtype;
}

/** Fails where an edge carries another type than its reader's attribute says, or comes from a node further down. */
function expectSound(graph: Graph): void {
  const seen = new Set<string>();
  for (const node of graph) {
    const data = node.inputs.filter((input) => !input.startsWith('^'));
    for (const [place, edge] of data.entries()) {
      expect(seen, `${node.name} reads ${edge}`).toContain(edge.split(':')[0]);
      const kind = SIGNATURES[node.op]?.[place] ?? 'T';
      const attribute = node.attributes[kind];
      const wanted = attribute?.kind === 'type' ? attribute.value : kind;
      expect(dtypeOfEdge(graph, edge), `input ${place} of ${node.name}`).toBe(wanted);
    }
    expect(seen, 'a name used twice').not.toContain(node.name);
    seen.add(node.name);
  }
}

function lower(graph: Graph, ...rest: [] | [Parameters<typeof castToLowPrecision>[2]]): Graph {
  const before = structuredClone(graph);
  const result = castToLowPrecision(graph, 'bfloat16', ...rest);
  expect(graph, 'the given graph').toEqual(before);
  expectSound(result);
  return result;
}

const typesOf = (graph: Graph, ...names: string[]) =>
  names.map((name) => graph.find((node) => node.name === name)!.outputs[0]!.dtype);
const castsOf = (graph: Graph) => graph.filter(({ op }) => op === 'Cast').map(({ inputs }) => inputs[0]);

describe('which ops compute in 16 bits', () => {
  test('convolutions and what passes maps from one to the next, but neither the images nor the result', () => {
    const graph = lower([
      placeholder('images'),
      node('scaled', 'Mul', ['images', 'images']),
      ...filter,
      conv('conv1', 'scaled'),
      node('relu1', 'Relu', ['conv1']),
      conv('conv2', 'relu1'),
      node('sum', 'AddV2', ['conv2', 'relu1']),
      conv('conv3', 'sum'),
      node('relu3', 'Relu', ['conv3']),
      node('result', 'Identity', ['relu3']),
    ]);
    expect(typesOf(graph, 'conv1', 'relu1', 'conv2', 'sum', 'conv3')).toEqual(Array(5).fill('bfloat16'));
    expect(typesOf(graph, 'scaled', 'relu3', 'result')).toEqual(Array(3).fill('float32'));
  });

  test('a weight is read in float32 and cast once for all of its readers', () => {
    const graph = lower([
      placeholder('images'),
      ...filter,
      conv('conv1', 'images'),
      conv('conv2', 'conv1'),
      sizes,
      node('dx', 'Conv2DBackpropInput', ['sizes', 'filter/read', 'conv2']),
    ]);
    expect(typesOf(graph, 'filter/read')).toEqual(['float32']);
    expect(castsOf(graph)).toEqual(['images:0', 'filter/read:0']);
  });

  test('batch norm takes and gives maps in 16 bits and statistics in float32, forwards and backwards', () => {
    const graph = lower([
      placeholder('images'),
      ...filter,
      ...statistics,
      conv('conv1', 'images'),
      norm('norm', 'conv1'),
      conv('conv2', 'norm'),
      node('norm_grad', 'FusedBatchNormGradV3', ['conv2', 'conv1', 'gamma/read', 'norm:3', 'norm:4', 'norm:5'], {
        dtypes: ['float32', 'float32', 'float32', 'float32', 'float32'],
        attributes: { T: type('float32'), U: type('float32') },
      }),
      sizes,
      node('dw', 'Conv2DBackpropFilter', ['images', 'sizes', 'norm_grad']),
      node('moved', 'AssignVariableOp', ['mean', 'norm:1'], { dtypes: [], attributes: { dtype: type('float32') } }),
    ]);
    const outputs = (name: string) => graph.find((node) => node.name === name)!.outputs.map(({ dtype }) => dtype);
    expect(outputs('norm')).toEqual(['bfloat16', ...Array(5).fill('float32')]);
    expect(outputs('norm_grad')).toEqual(['bfloat16', ...Array(4).fill('float32')]);
    expect(castsOf(graph)).toEqual(['images:0', 'filter/read:0']);
  });

  test('the gradient of a filter is cast to float32 in front of the optimiser, whose arithmetic stays float32', () => {
    const graph = lower([
      placeholder('images'),
      ...filter,
      conv('conv1', 'images'),
      conv('conv2', 'conv1'),
      sizes,
      node('dw', 'Conv2DBackpropFilter', ['conv1', 'sizes', 'conv2'], { shape: [3, 3, 8, 8] }),
      node('step', 'Mul', ['dw', 'dw'], { shape: [3, 3, 8, 8] }),
      node('new', 'Sub', ['filter/read', 'step'], { shape: [3, 3, 8, 8] }),
      node('assign', 'AssignVariableOp', ['filter', 'new'], { dtypes: [], attributes: { dtype: type('float32') } }),
    ]);
    expect(typesOf(graph, 'dw', 'step', 'new')).toEqual(['bfloat16', 'float32', 'float32']);
    expect(castsOf(graph)).toContain('dw:0');
  });

  test('logits and losses stay float32 between the matrix products of the forward and of the backward pass', () => {
    const vector = { shape: [2, 8] };
    const graph = lower([
      placeholder('x', [2, 8]),
      ...variable('weight', [8, 8]),
      node('logits', 'MatMul', ['x', 'weight/read'], vector),
      node('biased', 'AddV2', ['logits', 'x'], vector),
      node('probabilities', 'Sigmoid', ['biased'], vector),
      node('dlogits', 'Sub', ['probabilities', 'x'], vector),
      node('dw', 'MatMul', ['dlogits', 'x'], vector),
    ]);
    expect(typesOf(graph, 'logits', 'dw')).toEqual(['bfloat16', 'bfloat16']);
    expect(typesOf(graph, 'biased', 'probabilities', 'dlogits')).toEqual(Array(3).fill('float32'));
  });

  test('means and sums add up in float32 on a path of maps that leads through them', () => {
    const graph = lower([
      placeholder('images'),
      ...filter,
      conv('conv1', 'images'),
      node('product', 'Mul', ['conv1', 'conv1']),
      node('sum', 'Sum', ['product'], { shape: [2, 8] }),
      node('mean', 'Mean', ['conv1'], { shape: [2, 8] }),
      node('both', 'AddV2', ['sum', 'mean'], { shape: [2, 8] }),
      node('spread', 'Reshape', ['both'], { shape: [2, 1, 1, 8] }),
      conv('conv2', 'spread'),
    ]);
    expect(typesOf(graph, 'product', 'spread')).toEqual(['bfloat16', 'bfloat16']);
    expect(typesOf(graph, 'sum', 'mean', 'both')).toEqual(Array(3).fill('float32'));
  });

  test('softmax parts a path of maps, and ops without a known type attribute or a kernel stay as they are', () => {
    const nodes = [
      placeholder('images'),
      ...filter,
      conv('conv1', 'images'),
      node('softmax', 'Softmax', ['conv1']),
      node('strange', 'Strange', ['conv1'], { attributes: { Type: type('float32') } }),
      node('tanh', 'Tanh', ['conv1']),
      conv('conv2', 'softmax'),
      conv('conv3', 'strange'),
      conv('conv4', 'tanh'),
    ];
    SIGNATURES.Strange = ['Type'];
    expect(typesOf(lower(nodes), 'softmax', 'strange', 'tanh')).toEqual(['float32', 'float32', 'bfloat16']);
    const without = lower(nodes, { hasKernel: (op, dtype) => !(op === 'Tanh' && dtype === 'bfloat16') });
    expect(typesOf(without, 'tanh', 'conv4')).toEqual(['float32', 'bfloat16']);
  });

  test('a mask of a map is made in 16 bits, and made into numbers of 16 bits', () => {
    const graph = lower([
      placeholder('images'),
      ...filter,
      node('zero', 'Const', [], { shape: [], attributes: { dtype: type('float32') } }),
      conv('conv1', 'images'),
      node('mask', 'Greater', ['conv1', 'zero'], { dtypes: ['bool'] }),
      node('factor', 'Cast', ['mask'], { attributes: { SrcT: type('bool'), DstT: type('float32') } }),
      node('masked', 'Mul', ['conv1', 'factor']),
      conv('conv2', 'masked'),
    ]);
    expect(typesOf(graph, 'mask', 'factor', 'masked')).toEqual(['bool', 'bfloat16', 'bfloat16']);
    expect(castsOf(graph)).toEqual(['images:0', 'filter/read:0', 'zero:0', 'mask:0']);
  });
});

test('a cast to the type that is there already does not part a path of maps, and is gone afterwards', () => {
  const graph = lower([
    placeholder('images'),
    ...filter,
    conv('conv1', 'images'),
    node('idle', 'Cast', ['conv1'], { attributes: { SrcT: type('float32'), DstT: type('float32') } }),
    node('relu', 'Relu', ['idle', '^idle']),
    conv('conv2', 'relu'),
  ]);
  expect(typesOf(graph, 'relu')).toEqual(['bfloat16']);
  expect(graph.map(({ name }) => name)).not.toContain('idle');
  expect(graph.find(({ name }) => name === 'relu')!.inputs).toEqual(['conv1:0', '^conv1']);
});

test('no cast undoes another one, and every tensor is cast to a type at most once', () => {
  const graph = lower([
    placeholder('images'),
    ...filter,
    conv('conv1', 'images'),
    node('softmax', 'Softmax', ['conv1']),
    node('exp', 'Exp', ['conv1']),
    conv('conv2', 'softmax'),
    node('relu', 'Relu', ['conv2']),
    conv('conv3', 'relu'),
    conv('conv4', 'softmax'),
  ]);
  const casts = graph.filter(({ op }) => op === 'Cast');
  const names = new Set(casts.map(({ name }) => `${name}:0`));
  for (const { inputs } of casts) expect(names).not.toContain(inputs[0]);
  const targets = casts.map(({ inputs, outputs }) => `${inputs[0]} ${outputs[0]!.dtype}`);
  expect(new Set(targets).size).toBe(targets.length);
});

test('an edge from nowhere is refused by its name', () => {
  expect(() => castToLowPrecision([node('relu', 'Relu', ['lost'])], 'float16')).toThrow('lost:0');
});
