/** Models in the formats of other programs: which there are, what decides their bytes, and what hub and converter say to each other. */
import { z } from 'zod';
import { Sha256 } from './ids.ts';
import { NETWORKS, NetworkName } from './networks.ts';
import { EvaluationPreprocessing, InputSize } from './run-config.ts';

export const EXPORT_FORMATS = ['onnx', 'saved-model', 'tfjs-graph', 'tfjs-layers'] as const;
export const ExportFormat = z.enum(EXPORT_FORMATS, {
  error: (issue) => `Unknown format "${String(issue.input)}". Choose one of ${EXPORT_FORMATS.join(', ')}.`,
});
export type ExportFormat = z.infer<typeof ExportFormat>;

/** What people read of a format, and the ending of its one file. */
export const FORMAT_WORDS: Readonly<Record<ExportFormat, { name: string; readBy: string; ending: string }>> = {
  onnx: { name: 'ONNX', readBy: 'ONNX Runtime, from Python, C++ and browsers', ending: '.onnx' },
  'saved-model': {
    name: 'SavedModel',
    readBy: 'TensorFlow, TensorFlow Serving, tfjs-node',
    ending: '-saved-model.zip',
  },
  'tfjs-graph': {
    name: 'TensorFlow.js GraphModel',
    readBy: 'tf.loadGraphModel, to predict',
    ending: '-tfjs-graph.zip',
  },
  'tfjs-layers': {
    name: 'TensorFlow.js LayersModel',
    readBy: 'tf.loadLayersModel, also to train on',
    ending: '-tfjs-layers.zip',
  },
};

/** Formats of several files are zipped by the hub. */
export const isZipped = (format: ExportFormat): boolean => FORMAT_WORDS[format].ending.endsWith('.zip');

/** Goes up with every change of the converter that changes a byte of what it makes. */
export const CONVERTER_VERSION = 1;

/** One sentence why a network is not to be had in a format, else null. */
export function explainNoExport(network: NetworkName, format: ExportFormat): string | null {
  const isGrouped = NETWORKS[network].family === 'senet';
  if (!isGrouped || (format !== 'tfjs-graph' && format !== 'tfjs-layers')) return null;
  return `TensorFlow.js has no grouped convolutions in browsers, which ${network} consists of. Use ONNX there, or the SavedModel in tfjs-node.`;
}

/** What a file says of its model besides the weights: everything of it is a function of the run and its dataset. */
export const ModelFacts = z.strictObject({
  network: NetworkName,
  /** In the order of the logits; null where no host reports them any more. */
  classNames: z.array(z.string()).nullable(),
  /** Pixels that the network was trained at; the exports take others as well. */
  inputSize: InputSize,
  preprocessing: EvaluationPreprocessing,
});
export type ModelFacts = z.infer<typeof ModelFacts>;

/** What the hub asks its converter for. */
export const ExportJob = z.strictObject({
  format: ExportFormat,
  facts: ModelFacts,
  sourceSha256: Sha256,
  /** Path of the model's safetensors file. */
  source: z.string().min(1),
  /** Folder, which exists and is empty. */
  output: z.string().min(1),
});
export type ExportJob = z.infer<typeof ExportJob>;

/** The converter's one line of output. Paths are relative to the job's folder. */
export const ExportAnswer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), files: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ ok: z.literal(false), message: z.string() }),
]);
export type ExportAnswer = z.infer<typeof ExportAnswer>;

/** A model in one format, as the API shows it. */
export interface ModelExportView {
  format: ExportFormat | 'safetensors';
  /** 'ready' is stored; 'on-demand' is made when it is asked for; 'failed' was tried last and may be tried again. */
  state: 'ready' | 'on-demand' | 'running' | 'failed' | 'unavailable';
  /** Of 'ready'. */
  sizeBytes: number | null;
  sha256: string | null;
  /** Of 'failed' and 'unavailable'. */
  reason: string | null;
  /** Downloads it, and makes it first where it is not ready. */
  url: string;
}

/** The best model of one run of a study. */
export interface BestCheckpointView {
  runId: string;
  variantId: string;
  variantLabel: string;
  role: string;
  seed: number;
  network: NetworkName;
  checkpointId: string;
  epoch: number;
  /** Percent; null where nothing was validated. */
  top1: number | null;
  sizeBytes: number;
  sha256: string;
  /** Whether it is the best of its variant's seeds. */
  isBestOfVariant: boolean;
}

/** Which runs' models a study's zip holds. */
export const SeedChoice = z.enum(['best', 'all'], { error: 'Choose "best" for one seed of each variant, or "all".' });
export type SeedChoice = z.infer<typeof SeedChoice>;
