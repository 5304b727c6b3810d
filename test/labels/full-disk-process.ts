/**
 * Appends blocks of 20 images until the file may not grow any more, then one of 1 image. Says in JSON what the error was and
 * how many blocks were written. Argument: folder.
 */
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import { PROCESS_KEY } from './process-key.ts';
import { labelsOf, range } from './support.ts';

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
cache.close();
console.log(JSON.stringify({ blocks, code, isFound }));
