/** A weights file of either format, by its name. */
import { openSafetensors } from './safetensors.ts';
import type { WeightsFile } from './tensor-source.ts';
import { openTorchCheckpoint } from './torch/torch-checkpoint.ts';

/** Opens a `.safetensors` file, or a PyTorch checkpoint of any other name. Throws one Error that names the file. */
export function openWeights(path: string): Promise<WeightsFile> {
  return path.endsWith('.safetensors') ? openSafetensors(path) : openTorchCheckpoint(path);
}
