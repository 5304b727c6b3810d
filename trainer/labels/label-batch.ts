/** A batch's soft labels: from the cache what it has, from the teachers what it does not, which it then keeps. */
import type { LabelCache } from './label-cache.ts';
import type { LabelRows } from './record-codec.ts';

export interface LabelledBatch extends LabelRows {
  /** How many of the rows the teachers had to compute. */
  computed: number;
  /** Why what they computed could not be kept (a full disk, say), or null. The rows are the same in either case. */
  storeError: Error | null;
}

/**
 * The labels of image places[i], view views[i], as the cache decodes them, whoever computed them: which run came first makes
 * no difference to what any of them trains on. A pair that is twice in the batch is computed once.
 * @param compute labels for these positions of the batch, in this order; not called when nothing is missing
 */
export async function labelBatch(
  cache: LabelCache,
  places: ArrayLike<number>,
  views: ArrayLike<number>,
  compute: (positions: number[]) => LabelRows | Promise<LabelRows>,
): Promise<LabelledBatch> {
  const { missing, ...rows } = cache.lookup(places, views);
  if (missing.length === 0) return { ...rows, computed: 0, storeError: null };
  const slots = new Map<string, number>();
  const positions: number[] = [];
  for (const position of missing) {
    const pair = `${places[position]} ${views[position]}`;
    if (slots.has(pair)) continue;
    slots.set(pair, positions.length);
    positions.push(position);
  }
  const { decoded, storeError } = cache.appendOrDecode(
    positions.map((position) => places[position]!),
    positions.map((position) => views[position]!),
    await compute(positions),
  );
  const classCount = rows.probabilities.length / places.length;
  for (const position of missing) {
    const slot = slots.get(`${places[position]} ${views[position]}`)!;
    copyRow(decoded.probabilities, slot, rows.probabilities, position, classCount);
    if (rows.meanLogits) copyRow(decoded.meanLogits!, slot, rows.meanLogits, position, classCount);
  }
  return { ...rows, computed: positions.length, storeError };
}

function copyRow(from: Float32Array, source: number, to: Float32Array, target: number, length: number): void {
  to.set(from.subarray(source * length, (source + 1) * length), target * length);
}
