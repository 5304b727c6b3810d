/**
 * The long chaos test. Run: `npm run test:chaos [-- --seed N] [--faults N]`. The same seed makes the same choices again; how they
 * meet with what the processes do at that moment is the machine's. The last line of the output is JSON.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ChaosFailure, runChaos } from './chaos.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, faults: { type: 'string' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const faults = Number(values.faults ?? 300);
console.log(`Seed ${seed}, ${faults} faults.`);
try {
  const size = { waves: 4, runsPerWave: 5, hosts: 4, slots: 2, steps: 400 };
  const report = await runChaos({ seed, faults, ...size, gapMs: [300, 1_700], log: console.log });
  console.log(JSON.stringify({ seed, ...report, load: loadavg() }));
} catch (error) {
  if (!(error instanceof ChaosFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
