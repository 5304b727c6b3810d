/**
 * The only names that a PyTorch checkpoint of weights needs: ordered dicts, storages, and the functions that put a tensor
 * together. Tensors stay descriptions; their numbers are read later.
 */
import { elementCount } from '../state-dict.ts';
import type { StoredDtype } from '../stored-dtype.ts';
import type { PickleRules } from './pickle.ts';

/** A block of numbers of one type in the file. */
export class Storage {
  readonly dtype: StoredDtype;
  readonly key: string;
  /** Elements. */
  readonly length: number;

  constructor(dtype: StoredDtype, key: string, length: number) {
    this.dtype = dtype;
    this.key = key;
    this.length = length;
  }
}

/** A view of a storage, in elements. */
export class TorchTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGES: Partial<Record<string, StoredDtype>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};
const MAX_DIMENSIONS = 16;
const MAX_KEY_CHARACTERS = 100;
/** In all dicts of a file together. */
const MAX_PAIRS = 1_000_000;

class StorageType {
  readonly dtype: StoredDtype;
  constructor(dtype: StoredDtype) {
    this.dtype = dtype;
  }
}
type Call = (args: readonly unknown[]) => unknown;

const CALLS: Partial<Record<string, Call>> = {
  'collections.OrderedDict': orderedDict,
  // The first is what PyTorch wrote before 0.4; what follows the strides says nothing about the numbers.
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': ([data]) => {
    if (data instanceof TorchTensor) return data;
    throw new Error('it holds a parameter that is no tensor');
  },
};

/**
 * Rules for the pickles of one file, which note every storage that is named in `storages`.
 * Each rule throws an Error that names what else the pickle asks for.
 */
export function tensorRules(storages: Map<string, Storage>): PickleRules {
  let pairs = 0;
  return {
    global: resolveGlobal,
    call: (callable, args) => {
      // One list can be named again and again, and each call copies it.
      if (Array.isArray(args[0])) pairs += args[0].length;
      if (pairs > MAX_PAIRS) throw new Error(`it makes ordered dicts of more than ${MAX_PAIRS} pairs`);
      return call(callable, args);
    },
    setState,
    persistent: (id) => noteStorage(storages, id),
  };
}

function resolveGlobal(qualified: string): unknown {
  const dtype = Object.hasOwn(STORAGES, qualified) ? STORAGES[qualified] : undefined;
  if (dtype !== undefined) return new StorageType(dtype);
  const call = Object.hasOwn(CALLS, qualified) ? CALLS[qualified] : undefined;
  if (call !== undefined) return call;
  throw new Error(
    `it asks for ${qualified.slice(0, 200)}, which is not part of plain weights and is not run. In Python, save the model's state_dict() alone`,
  );
}

function call(callable: unknown, args: readonly unknown[]): unknown {
  if (typeof callable !== 'function') throw new Error('it calls something that is no function');
  return (callable as Call)(args);
}

function noteStorage(storages: Map<string, Storage>, id: unknown): Storage {
  if (!Array.isArray(id) || id[0] !== 'storage') throw new Error('it refers to something that is no storage');
  const [, type, key, , length, view] = id as unknown[];
  if (!(type instanceof StorageType) || typeof key !== 'string' || key.length > MAX_KEY_CHARACTERS)
    throw new Error('it describes a storage wrongly');
  if (view !== undefined && view !== null)
    throw new Error(`its storage ${key} is a view of another, which is not read`);
  const storage = new Storage(type.dtype, key, wholeNumber(length, `length of storage ${key}`));
  const known = storages.get(key);
  if (known && (known.dtype !== storage.dtype || known.length !== storage.length))
    throw new Error(`it describes its storage ${key} in two ways`);
  if (!known) storages.set(key, storage);
  return known ?? storage;
}

function setState(object: unknown, state: unknown): void {
  // An OrderedDict's attributes: the module versions that PyTorch notes beside a state dict.
  if (object instanceof Map && state instanceof Map) return;
  throw new Error('it sets the state of something that is no ordered dict');
}

function orderedDict([pairs = []]: readonly unknown[]): Map<unknown, unknown> {
  const isPair = (pair: unknown): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2;
  if (Array.isArray(pairs) && pairs.every(isPair)) return new Map(pairs);
  throw new Error('it makes an ordered dict of something that is no list of pairs');
}

function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor {
  if (!(storage instanceof Storage)) throw new Error('it holds a tensor without a storage');
  const what = `tensor in storage ${storage.key}`;
  const numbers = (value: unknown, of: string) => {
    if (!Array.isArray(value) || value.length > MAX_DIMENSIONS) throw new Error(`the ${of} of a ${what} is none`);
    return value.map((n) => wholeNumber(n, `${of} of a ${what}`));
  };
  const [sizes, steps] = [numbers(shape, 'shape'), numbers(strides, 'strides')];
  if (sizes.length !== steps.length) throw new Error(`a ${what} has ${sizes.length} sizes and ${steps.length} strides`);
  const begin = wholeNumber(offset, `offset of a ${what}`);
  const count = elementCount(sizes);
  const end = count === 0 ? begin : begin + spanOf(sizes, steps);
  // A tensor that repeats numbers (stride 0) could grow without end; weights do not.
  if (!(end <= storage.length && count <= storage.length))
    throw new Error(
      `a ${what} of shape [${sizes}], strides [${steps}] and offset ${begin} does not lie within its ${storage.length} elements`,
    );
  return new TorchTensor(storage, begin, sizes, steps);
}

/** Elements from a tensor's first to its last, both included. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  return shape.reduce((span, size, axis) => span + (size - 1) * strides[axis]!, 1);
}

function wholeNumber(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`the ${what} is ${typeof value === 'number' || typeof value === 'bigint' ? value : 'no number'}`);
}
