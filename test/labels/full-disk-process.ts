/**
 * Appends blocks of 20 images until the file may not grow any more, then one of 1 image, and has a batch labelled for which
 * there is no room. Says in JSON how that went. Argument: folder.
 */
import { labelBatch } from '../../trainer/labels/label-batch.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { PROCESS_KEY } from './process-key.ts';
import { labelsOf, range, storedLabelsOf } from './support.ts';

// Without a handler the signal of the limit would end the process before `write` can say so.
process.on('SIGXFSZ', () => {});
const cache = openLabelCache(process.argv[2]!, PROCESS_KEY, { writable: true });
const append = (count: number, view: number) => {
  const [places, views] = [range(count), range(count).map(() => view)];
  cache.append(places, views, labelsOf(PROCESS_KEY, places, views));
};
let blocks = 0;
let code = '';
try {
  for (; blocks < 1000; blocks++) append(20, blocks);
} catch (error) {
  code = (error as NodeJS.ErrnoException).code ?? String(error);
}
append(1, blocks);
const isFound = cache.lookup([0, 1], [blocks, blocks]).missing.join() === '1';
const [places, views] = [range(20), range(20).map(() => blocks + 1)];
const batch = await labelBatch(cache, places, views, () => labelsOf(PROCESS_KEY, places, views));
cache.close();
const isRight = batch.probabilities.join() === storedLabelsOf(PROCESS_KEY, places, views).probabilities.join();
const unstored = (batch.storeError as NodeJS.ErrnoException | null)?.code;
console.log(JSON.stringify({ blocks, code, isFound, isRight, unstored }));
