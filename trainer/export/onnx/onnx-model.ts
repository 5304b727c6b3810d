/**
 * ONNX: operators of opset 17, NCHW like PyTorch's own exports, weights under timm's keys with every batch norm folded into its
 * convolution. Batch, height and width are free.
 */
import { elementCount } from '../../weights/state-dict.ts';
import type { Constant, Constants } from '../constants.ts';
import type { ModelDetails } from '../describe.ts';
import { bytesOf, type ExportFile, messageFile } from '../export-file.ts';
import { Message } from '../protobuf.ts';
import { type ConvLayer, IMAGES, type Layer, type Sketch } from '../sketch.ts';
import { encodeInput, encodeNode, encodeTensor, type OnnxNode } from './onnx-messages.ts';

const IR_VERSION = 8;
const OPSET = 17;
const LOGITS = 'logits';

/** @param properties what readers find in the model's metadata */
export function onnxFiles(
  sketch: Sketch,
  constants: Constants,
  facts: ModelDetails,
  properties: Readonly<Record<string, string>>,
): ExportFile[] {
  const last = sketch.layers.at(-1)!.name;
  const graph = new Message();
  const weights: Constant[] = [];
  for (const layer of sketch.layers)
    for (const node of nodesOf(layer, constants, weights))
      graph.message(1, encodeNode({ ...node, output: node.output === last ? LOGITS : node.output }));
  graph.text(2, facts.network);
  for (const { name, shape, load } of weights) {
    const lazy = { length: 4 * elementCount(shape), load: async () => bytesOf(await load()) };
    graph.message(5, encodeTensor(name, shape, lazy));
  }
  graph.message(11, encodeInput(IMAGES, ['batch', 3, 'height', 'width']));
  graph.message(12, encodeInput(LOGITS, ['batch', facts.classCount]));
  const model = new Message().int(1, IR_VERSION).text(2, 'Mealtable').message(7, graph);
  model.message(8, new Message().text(1, '').int(2, OPSET));
  for (const [key, value] of Object.entries(properties)) model.message(14, new Message().text(1, key).text(2, value));
  return [messageFile('model.onnx', model)];
}

/** @param weights grows by what the nodes read */
function nodesOf(layer: Layer, constants: Constants, weights: Constant[]): OnnxNode[] {
  const node = (op: string, inputs: string[], attributes: OnnxNode['attributes'] = {}, output = layer.name) => ({
    ...{ op, inputs, attributes, output },
  });
  const weight = (constant: Constant): string => {
    weights.push(constant);
    return constant.name;
  };
  switch (layer.kind) {
    case 'conv': {
      const filter = weight(constants.foldedFilter(layer, 'pytorch'));
      const bias = weight(constants.foldedBias(layer));
      return [node('Conv', [layer.input, filter, bias], convAttributes(layer))];
    }
    case 'activation': {
      const x = layer.input;
      switch (layer.activation) {
        case 'relu':
          return [node('Relu', [x])];
        case 'sigmoid':
          return [node('Sigmoid', [x])];
        case 'hard-swish':
          return [node('HardSwish', [x])];
        case 'hard-sigmoid':
          return [node('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })];
        case 'swish': {
          const gate = `${layer.name}/sigmoid`;
          return [node('Sigmoid', [x], {}, gate), node('Mul', [x, gate])];
        }
      }
      break;
    }
    case 'max-pool': {
      const window = { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } };
      return [node('MaxPool', [layer.input], window)];
    }
    case 'mean':
      return [node('GlobalAveragePool', [layer.input])];
    case 'add':
      return [node('Add', layer.inputs)];
    case 'multiply':
      return [node('Mul', layer.inputs)];
    case 'dense': {
      const pixel = `${layer.name}/flatten`;
      const kernel = weight(constants.dense(layer, 'pytorch'));
      const bias = weight(constants.plain(`${layer.name}.bias`, layer.outputs));
      return [
        node('Flatten', [layer.input], { axis: { int: 1 } }, pixel),
        node('Gemm', [pixel, kernel, bias], { transB: { int: 1 } }),
      ];
    }
  }
}

function convAttributes({ kernel, stride, padding, groups }: ConvLayer): OnnxNode['attributes'] {
  const margin = (kernel - 1) / 2;
  return {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    group: { int: groups },
    // The odd pixel goes bottom and right.
    ...(padding === 'same'
      ? { auto_pad: { text: 'SAME_UPPER' } }
      : { pads: { ints: [margin, margin, margin, margin] } }),
  };
}
