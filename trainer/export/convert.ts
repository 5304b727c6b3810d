/** A model's safetensors file in another format. */
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ExportAnswer, type ExportJob, explainNoExport } from '@mealtable/protocol/exports';
import { openSafetensors } from '../weights/safetensors.ts';
import type { TensorInfo } from '../weights/tensor-source.ts';
import { Constants, explainOtherTensors } from './constants.ts';
import { describeModel, flatten, type ModelDetails } from './describe.ts';
import { type ExportFile, textFile } from './export-file.ts';
import { onnxFiles } from './onnx/onnx-model.ts';
import { sketchNetwork } from './sketch-network.ts';
import { graphModelFiles } from './tensorflow/graph-model.ts';
import { layersModelFiles } from './tensorflow/layers-model.ts';
import { savedModelFiles } from './tensorflow/saved-model.ts';

/** Beside the files of formats that have no place for it. */
const DESCRIPTION_FILE = 'model-info.json';

/**
 * Writes the files into the job's folder. The same job gives the same bytes on every machine. A weights file that cannot be read, or
 * is another network's, is answered; throws what the file system does.
 */
export async function convertModel(job: ExportJob): Promise<ExportAnswer> {
  const { network, classNames } = job.facts;
  const refusal = explainNoExport(network, job.format);
  if (refusal !== null) return { ok: false, message: refusal };
  const weights = await openSafetensors(job.source).catch((error: unknown) => (error as Error).message);
  if (typeof weights === 'string') return { ok: false, message: weights.replace(job.source, 'The file of weights') };
  try {
    const classCount = countClasses(weights.tensors);
    const sketch = sketchNetwork(network, classCount);
    const other = explainOtherTensors(sketch, weights.tensors);
    if (other !== null) {
      return { ok: false, message: `These are not the weights of a ${network} with ${classCount} classes: ${other}.` };
    }
    // The dataset may have other classes by now than when it was trained on.
    const known = classNames?.length === classCount ? classNames : null;
    const files = filesOf(job, { ...job.facts, classNames: known, classCount }, sketch, new Constants(weights));
    for (const file of files) await writeFile(job.output, file);
    return { ok: true, files: files.map(({ path }) => path) };
  } finally {
    await weights.close();
  }
}

function filesOf(
  { format, sourceSha256 }: ExportJob,
  facts: ModelDetails,
  sketch: ReturnType<typeof sketchNetwork>,
  constants: Constants,
): ExportFile[] {
  const description = describeModel(facts, sourceSha256);
  const info = textFile(DESCRIPTION_FILE, `${JSON.stringify(description, null, 2)}\n`);
  switch (format) {
    case 'onnx':
      return onnxFiles(sketch, constants, facts, flatten(description));
    case 'saved-model':
      return [...savedModelFiles(sketch, constants, facts), info];
    case 'tfjs-graph':
      return [...graphModelFiles(sketch, constants, facts, description), info];
    case 'tfjs-layers':
      return [...layersModelFiles(sketch, constants, facts, description), info];
  }
}

/** Rows of the classifier, whatever it is called; 0 where there is none. */
function countClasses(tensors: ReadonlyMap<string, TensorInfo>): number {
  const classifier = tensors.get('fc.weight') ?? tensors.get('classifier.weight');
  return classifier?.shape[0] ?? 0;
}

async function writeFile(folder: string, { path, chunks }: ExportFile): Promise<void> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  const file = await open(target, 'wx');
  try {
    for await (const chunk of chunks()) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}
