/** Reads the weights in a PyTorch checkpoint (`.pth`, `.pt`, `.bin`), tensor by tensor and without running anything in it. */
import { type FileHandle, open } from 'node:fs/promises';
import { readBytes } from '../file-bytes.ts';
import { MAX_NAME_CHARACTERS } from '../safetensors-header.ts';
import { elementCount } from '../state-dict.ts';
import { STORED_BYTES, toStateTensor } from '../stored-dtype.ts';
import type { TensorInfo, WeightsFile } from '../tensor-source.ts';
import { openContainer, type TorchContainer } from './container.ts';
import { gather, isContiguous } from './strided.ts';
import { spanOf, TorchTensor } from './tensor-rules.ts';

/** Keys under which training scripts put the weights beside epoch, optimiser and the like. */
const WRAPPERS = ['state_dict', 'model', 'model_state_dict'];
const MAX_WRAPPERS = 3;
/** What `DataParallel` puts in front of every key. */
const PARALLEL_PREFIX = 'module.';

/**
 * Opens a checkpoint and checks where everything of it lies. The weights are the saved dict itself or its `state_dict` or
 * `model`; a prefix `module.` of all keys is left out. Throws one Error with the file's name and what is wrong with it.
 */
export async function openTorchCheckpoint(path: string): Promise<WeightsFile> {
  const refuse = (error: unknown): never => {
    throw new Error(`${path} cannot be read as a PyTorch checkpoint: ${(error as Error).message}.`, { cause: error });
  };
  const file = await open(path, 'r');
  try {
    const container = await openContainer(file, (await file.stat()).size);
    const found = withoutPrefix(findTensors(container.root));
    const tensors = new Map<string, TensorInfo>();
    for (const [name, { storage, shape }] of found) {
      container.locate(storage);
      tensors.set(name, { dtype: storage.dtype, shape });
    }
    return {
      tensors,
      read: async (name) => {
        const tensor = found.get(name)!;
        const bytes = await readNumbers(file, container, tensor).catch(refuse);
        return toStateTensor(tensor.storage.dtype, tensor.shape, bytes);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    return refuse(error);
  }
}

function findTensors(root: unknown): Map<string, TorchTensor> {
  let found = root;
  for (let depth = 0; found instanceof Map && depth < MAX_WRAPPERS; depth++) {
    const dict: Map<unknown, unknown> = found;
    const wrapper = WRAPPERS.find((key) => dict.get(key) instanceof Map);
    if (wrapper === undefined) break;
    found = dict.get(wrapper);
  }
  if (!(found instanceof Map) || found.size === 0) throw new Error('there is no dict of weights in it');
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of found as Map<unknown, unknown>) {
    if (typeof name !== 'string') throw new Error('a key of its weights is no text');
    if (name.length > MAX_NAME_CHARACTERS) throw new Error(`a key of its weights has ${name.length} characters`);
    if (!(tensor instanceof TorchTensor)) throw new Error(`its "${name}" is no tensor`);
    tensors.set(name, tensor);
  }
  return tensors;
}

function withoutPrefix(tensors: Map<string, TorchTensor>): Map<string, TorchTensor> {
  if (![...tensors.keys()].every((name) => name.startsWith(PARALLEL_PREFIX))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.slice(PARALLEL_PREFIX.length), tensor]));
}

/** A tensor's numbers in C order. */
async function readNumbers(
  file: FileHandle,
  container: TorchContainer,
  { storage, offset, shape, strides }: TorchTensor,
): Promise<ArrayBuffer> {
  const count = elementCount(shape);
  if (count === 0) return new ArrayBuffer(0);
  await container.verify(storage);
  const elementBytes = STORED_BYTES[storage.dtype];
  const begin = container.locate(storage) + offset * elementBytes;
  if (isContiguous(shape, strides)) return readBytes(file, begin, count * elementBytes);
  const bytes = await readBytes(file, begin, spanOf(shape, strides) * elementBytes);
  return gather(bytes, elementBytes, shape, strides);
}
