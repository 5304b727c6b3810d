/**
 * TensorFlow.js LayersModel: Keras layers under timm's names, batch norms among them, so that training can go on from it.
 * `tf.loadLayersModel` reads it.
 */
import { elementCount } from '../../weights/state-dict.ts';
import type { Constant, Constants } from '../constants.ts';
import { NORM_PARTS } from '../constants.ts';
import type { ModelDetails } from '../describe.ts';
import { bytesOf, type ExportFile, textFile } from '../export-file.ts';
import { type ConvLayer, IMAGES, isDepthwise, type Layer, type Sketch } from '../sketch.ts';
import { makeShards, type WeightsEntry } from './shards.ts';

/** PyTorch's momentum of 0.1 is what Keras calls 0.9. */
const MOMENTUM = 0.9;

export function layersModelFiles(
  sketch: Sketch,
  constants: Constants,
  facts: ModelDetails,
  made: object,
): ExportFile[] {
  const writer = new KerasWriter(constants);
  for (const layer of sketch.layers) writer.write(layer);
  const { manifest, files } = makeShards(writer.weights);
  const config = {
    name: facts.network,
    layers: writer.layers,
    input_layers: [[IMAGES, 0, 0]],
    output_layers: [[sketch.layers.at(-1)!.name, 0, 0]],
  };
  const model = {
    format: 'layers-model',
    generatedBy: 'Mealtable',
    convertedBy: null,
    userDefinedMetadata: made,
    modelTopology: {
      keras_version: '2.15.0',
      backend: 'tensorflow',
      model_config: { class_name: 'Model', config },
    },
    weightsManifest: manifest,
  };
  return [textFile('model.json', JSON.stringify(model)), ...files];
}

class KerasWriter {
  readonly layers: object[] = [];
  readonly weights: WeightsEntry[] = [];
  readonly #constants: Constants;
  /** The layer that gives a sketch's layer's output, where it has another name. */
  readonly #outputs = new Map<string, string>();

  constructor(constants: Constants) {
    this.#constants = constants;
    this.#add(IMAGES, 'InputLayer', [], { batch_input_shape: [null, null, null, 3], dtype: 'float32', sparse: false });
  }

  write(layer: Layer): void {
    const { name } = layer;
    switch (layer.kind) {
      case 'conv':
        this.#conv(layer);
        break;
      case 'activation':
        this.#activate(name, this.#outputOf(layer.input), layer.activation);
        break;
      case 'max-pool': {
        const padded = this.#pad(name, layer.input, 1);
        const window = { pool_size: [3, 3], strides: [2, 2], padding: 'valid', data_format: 'channels_last' };
        this.#add(name, 'MaxPooling2D', [padded], window);
        break;
      }
      case 'mean': {
        const pooled = this.#add(`${name}/pool`, 'GlobalAveragePooling2D', [this.#outputOf(layer.input)], {
          data_format: 'channels_last',
        });
        this.#add(name, 'Reshape', [pooled], { target_shape: [1, 1, layer.channels] });
        break;
      }
      case 'add':
      case 'multiply':
        this.#add(
          name,
          layer.kind === 'add' ? 'Add' : 'Multiply',
          layer.inputs.map((x) => this.#outputOf(x)),
          {},
        );
        break;
      case 'dense': {
        const pixel = this.#add(`${name}/flatten`, 'Flatten', [this.#outputOf(layer.input)], {});
        this.#add(name, 'Dense', [pixel], { units: layer.outputs, activation: 'linear', use_bias: true });
        this.#weight(`${name}/kernel`, this.#constants.dense(layer, 'tensorflow'));
        this.#weight(`${name}/bias`, this.#constants.plain(`${name}.bias`, layer.outputs));
      }
    }
  }

  #conv(layer: ConvLayer): void {
    const { name, kernel, stride, padding, norm, outputs } = layer;
    const isSame = padding === 'same' || stride === 1 || kernel === 1;
    const input = isSame ? this.#outputOf(layer.input) : this.#pad(name, layer.input, (kernel - 1) / 2);
    const config = {
      kernel_size: [kernel, kernel],
      strides: [stride, stride],
      padding: isSame ? 'same' : 'valid',
      data_format: 'channels_last',
      dilation_rate: [1, 1],
      activation: 'linear',
      use_bias: norm === null,
    };
    const filter = this.#constants.filter(layer, 'tensorflow');
    if (isDepthwise(layer)) {
      this.#add(name, 'DepthwiseConv2D', [input], { ...config, depth_multiplier: 1 });
      this.#weight(`${name}/depthwise_kernel`, filter);
    } else {
      this.#add(name, 'Conv2D', [input], { ...config, filters: outputs });
      this.#weight(`${name}/kernel`, filter);
    }
    if (norm === null) {
      this.#weight(`${name}/bias`, this.#constants.plain(`${name}.bias`, outputs));
      return;
    }
    const { epsilon } = norm;
    this.#add(norm.name, 'BatchNormalization', [name], {
      ...{ axis: -1, momentum: MOMENTUM, epsilon, center: true, scale: true },
    });
    this.#outputs.set(name, norm.name);
    const parts = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
    for (const [k, part] of NORM_PARTS.entries())
      this.#weight(`${norm.name}/${parts[k]}`, this.#constants.plain(`${norm.name}.${part}`, outputs));
  }

  #activate(name: string, input: string, activation: string): void {
    const keras = { relu: 'relu', sigmoid: 'sigmoid', swish: 'swish' }[activation];
    if (keras !== undefined) {
      this.#add(name, 'Activation', [input], { activation: keras });
      return;
    }
    // Keras' hard sigmoid clips 0.2 x + 0.5, that of the networks x / 6 + 0.5.
    const isGate = activation === 'hard-sigmoid';
    const scaled = this.#add(`${name}/scaled`, 'Rescaling', [input], { scale: 5 / 6, offset: 0 });
    const gate = this.#add(isGate ? name : `${name}/gate`, 'Activation', [scaled], { activation: 'hard_sigmoid' });
    if (!isGate) this.#add(name, 'Multiply', [input, gate], {});
  }

  #pad(name: string, input: string, margin: number): string {
    const padding = [
      [margin, margin],
      [margin, margin],
    ];
    return this.#add(`${name}/pad`, 'ZeroPadding2D', [this.#outputOf(input)], {
      padding,
      data_format: 'channels_last',
    });
  }

  #outputOf(name: string): string {
    return this.#outputs.get(name) ?? name;
  }

  #add(name: string, className: string, inputs: string[], config: object): string {
    const nodes = inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])];
    const full = { name, ...(className === 'InputLayer' ? {} : { trainable: true }), ...config };
    this.layers.push({ name, class_name: className, config: full, inbound_nodes: nodes });
    return name;
  }

  #weight(name: string, { shape, load }: Constant): void {
    const byteLength = 4 * elementCount(shape);
    this.weights.push({ name, shape, dtype: 'float32', byteLength, load: async () => bytesOf(await load()) });
  }
}
