/** Tensors in the form in which make_torch_files.py describes them. */
import type { StateDict } from '../../trainer/weights/state-dict.ts';

export function describeTensors(tensors: StateDict): Record<string, [string, number[], number[]]> {
  return Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, data }]) => [
      name,
      [dtype, shape, Array.from<number | bigint, number>(data, Number)],
    ]),
  );
}
