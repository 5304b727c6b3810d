/** How far a pass over images is, in the log. */
import type { RecordWriter } from './record-writer.ts';
import { MAX_SILENCE_MS } from './step-meter.ts';

/** Told after every batch, it says so often enough for the agent to know that the pass goes on. */
export function sayingProgress(
  records: Pick<RecordWriter, 'log'>,
  what: string,
): (done: number, count: number) => void {
  let spoke = performance.now();
  return (done, count) => {
    if (performance.now() - spoke < MAX_SILENCE_MS) return;
    spoke = performance.now();
    records.log('info', `${what}: ${done} of ${count} images done.`);
  };
}
