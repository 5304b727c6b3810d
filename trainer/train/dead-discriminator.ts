/** Says in a run's log that its discriminator cannot learn. */
import type { RecordWriter } from './record-writer.ts';

type Records = Pick<RecordWriter, 'write' | 'log'>;

const METRIC = 'train/discriminator_dead_outputs';

/**
 * Writes what it is given, and a warning behind the first epoch's validation when both outputs of the discriminator were dead in
 * every recorded step of that epoch. An attempt that resumes within it looks at the steps it makes itself.
 */
export function warnOfDeadDiscriminator(records: Records): Records {
  let steps = 0;
  let deadSteps = 0;
  return {
    log: (...line) => records.log(...line),
    write: (body) => {
      const seq = records.write(body);
      if (body.kind !== 'metrics' || body.epoch > 1) return seq;
      if (METRIC in body.values) {
        steps++;
        if (body.values[METRIC] === 100) deadSteps++;
      }
      if ('val/top1' in body.values && steps > 0 && deadSteps === steps)
        records.log(
          'warning',
          'The discriminator learns nothing with this seed: its last ReLU left both outputs at 0 in every step of the first epoch, which leaves it no gradient. So far this is the run without discriminator. Take another seed, or switch the last ReLU off.',
        );
      return seq;
    },
  };
}
