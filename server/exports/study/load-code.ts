/** Programs that load a model, for its card. test/long/exports.test.ts runs those in Python as they stand. */
import type { ExportFormat, ModelFacts } from '@mealtable/protocol/exports';
import { NETWORKS, type NetworkName } from '@mealtable/protocol/networks';

/** A Python expression that builds timm's network, with `classes` for the number of classes. */
export function timmExpression(network: NetworkName): string {
  const spec = NETWORKS[network];
  const registered = `timm.create_model("${network}", num_classes=classes)`;
  switch (spec.family) {
    case 'resnet':
    case 'senet': {
      const isNarrow = spec.channels[0] !== 64;
      if (!isNarrow) return registered;
      const block = spec.family === 'senet' || spec.block === 'bottleneck' ? 'Bottleneck' : 'BasicBlock';
      const isDeep = spec.family === 'senet' || spec.stem === 'deep';
      const options = [
        `${block}, [${spec.layers.join(', ')}], num_classes=classes`,
        `channels=(${spec.channels.join(', ')})`,
        ...(isDeep ? [`stem_type="deep", stem_width=${spec.stemWidth}`] : []),
        ...(spec.family === 'senet'
          ? [
              `cardinality=${spec.groups}, base_width=${spec.baseWidth}`,
              'down_kernel_size=3, block_reduce_first=2, block_args={"attn_layer": "se"}',
            ]
          : []),
      ];
      return `timm.models.resnet.ResNet(\n    ${options.join(',\n    ').replace(block, `timm.models.resnet.${block}`)},\n)`;
    }
    case 'efficientnet':
    case 'mobilenetv3': {
      const narrow = narrowMobile(network);
      if (narrow === null) return registered;
      const padding = spec.padding === 'same' ? ', bn_eps=1e-3, pad_type="same"' : '';
      return `timm.models.${spec.family}.${narrow}, num_classes=classes${padding})`;
    }
  }
}

/** timm has no registered name for these, but builds them with the functions behind its names. */
function narrowMobile(network: NetworkName): string | null {
  if (network.endsWith('efficientnet_b0_w8'))
    return `_gen_efficientnet("${network.replace('_w8', '')}", channel_multiplier=0.25, depth_multiplier=0.5`;
  if (network.endsWith('_025'))
    return `_gen_mobilenet_v3("${network.replace('_025', '_100')}", channel_multiplier=0.25`;
  return null;
}

const list = (values: readonly number[]): string => `[${values.join(', ')}]`;

function sizes({ inputSize, preprocessing: { cropFraction } }: ModelFacts): { resize: number; crop: number } {
  return { resize: Math.trunc(inputSize / cropFraction), crop: inputSize };
}

/** @param file the safetensors file */
export function timmCode(facts: ModelFacts, file: string): string {
  const { mean, std, interpolation } = facts.preprocessing;
  const { resize, crop } = sizes(facts);
  const classifier = ['resnet', 'senet'].includes(NETWORKS[facts.network].family) ? 'fc' : 'classifier';
  return `import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision import transforms

weights = load_file("${file}")
classes = len(weights["${classifier}.bias"])
model = ${timmExpression(facts.network)}
model.load_state_dict(weights)
model.eval()

prepare = transforms.Compose([
    transforms.Resize(${resize}, interpolation=transforms.InterpolationMode.${interpolation.toUpperCase()}),
    transforms.CenterCrop(${crop}),
    transforms.ToTensor(),
    transforms.Normalize(${list(mean)}, ${list(std)}),
])
images = prepare(Image.open("photo.png").convert("RGB")).unsqueeze(0)
with torch.no_grad():
    logits = model(images)
print(logits.softmax(1).topk(min(5, classes)))`;
}

/** The program for a format, and in which language. @param file the export */
export function formatCode(format: ExportFormat, facts: ModelFacts, file: string): { language: string; code: string } {
  const folder = file.replace(/\.zip$/, '');
  const { mean, std, interpolation } = facts.preprocessing;
  const { resize, crop } = sizes(facts);
  const cropped = `image = Image.open("photo.png").convert("RGB")
scale = ${resize} / min(image.size)
image = image.resize([round(side * scale) for side in image.size], Image.${interpolation.toUpperCase()})
left, top = (image.width - ${crop}) // 2, (image.height - ${crop}) // 2
pixels = np.asarray(image.crop((left, top, left + ${crop}, top + ${crop})))`;
  switch (format) {
    case 'onnx':
      return {
        language: 'python',
        code: `import numpy as np
import onnxruntime
from PIL import Image

${cropped}
images = ((pixels / 255 - ${list(mean)}) / ${list(std)}).astype(np.float32).transpose(2, 0, 1)[None]

session = onnxruntime.InferenceSession("${file}")
(logits,) = session.run(None, {"images": images})
print(logits.argmax(1))`,
      };
    case 'saved-model':
      return {
        language: 'python',
        code: `# After: unzip ${file} -d ${folder}
import numpy as np
import tensorflow as tf
from PIL import Image

${cropped}

model = tf.saved_model.load("${folder}")
# This signature takes bytes and normalises them; "serving_default" takes normalised images under the name "images".
logits = model.signatures["pixels"](pixels=tf.constant(pixels[None]))["logits"]
print(tf.argmax(logits, 1).numpy())`,
      };
    case 'tfjs-graph':
    case 'tfjs-layers': {
      const load = format === 'tfjs-graph' ? 'loadGraphModel' : 'loadLayersModel';
      return {
        language: 'js',
        code: `// After: unzip ${file} -d ${folder}. \`image\` is an element of the page that shows a square picture.
import * as tf from '@tensorflow/tfjs';

const model = await tf.${load}('${folder}/model.json');
const logits = tf.tidy(() => {
  const pixels = tf.image.resizeBilinear(tf.browser.fromPixels(image), [${crop}, ${crop}]).div(255);
  return model.predict(pixels.sub(${list(mean)}).div(${list(std)}).expandDims());
});
console.log((await logits.argMax(1).data())[0]);`,
      };
    }
  }
}
