/** Everything breaks once: the short form of `npm run test:chaos`, with a seed of its own. */
import { expect, it } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { FAULTS } from '../chaos/faults.ts';

const KINDS = Object.keys(FAULTS);

it('P1, P2, P6, P7, P9, P10, P11: processes killed, links cut, a host lost and back: each run ends as it must, each point and line is there once', async () => {
  const size = { waves: 2, runsPerWave: 3, hosts: 3, slots: 2, steps: 60 };
  const report = await runChaos({ seed: 6, faults: KINDS.length + 2, ...size, gapMs: [300, 1_500], log: () => {} });
  expect(Object.keys(report.faults).sort()).toEqual([...KINDS].sort());
  expect(report.runs).toMatchObject({ failed: 1 });
});
