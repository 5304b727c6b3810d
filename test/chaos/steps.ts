/** The steps of a loop that does nothing but take its time: what it is to do, and what it took. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { STORED_PARTS } from '../support/stored-points.ts';
import { ChaosHost } from './host.ts';
import { HubUnderTest, insist } from './hub.ts';
import { Link } from './link.ts';
import { bundlePrograms } from './programs.ts';
import { Random } from './random.ts';
import { makeDesign } from './study.ts';

export const SteppingPlan = z.strictObject({
  stepMs: z.number(),
  /** In each report. */
  metrics: z.int(),
  /** Only the odd steps report, so that each has a neighbour that does not. */
  everyOther: z.boolean(),
  timesFile: z.string(),
});
export type SteppingPlan = z.infer<typeof SteppingPlan>;

/**
 * When a step began (milliseconds since 1970), how long it and its report took, processor time of the report, how often the system
 * took the processor away during the report, and whether there was one (1 or 0).
 */
export const STEP_COLUMNS = ['at', 'stepMs', 'reportMs', 'cpuMs', 'preempted', 'reports'] as const;
export type Step = Record<(typeof STEP_COLUMNS)[number], number>;

function readSteps(path: string): Step[] {
  const bytes = readFileSync(path);
  const values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const width = STEP_COLUMNS.length;
  return Array.from(
    { length: values.length / width },
    (_, i) => Object.fromEntries(STEP_COLUMNS.map((column, c) => [column, values[i * width + c]])) as Step,
  );
}

export interface Stepping {
  hub: HubUnderTest;
  /** Seconds of processor time that the agent has used. */
  agentCpuSeconds(): number;
  /** Ends trainer and agent in good order, with all delivered. @returns every step */
  finish(): Promise<Step[]>;
  close(): Promise<void>;
}

/** A hub, an agent and the loop under it, each a process of its own, with the product's own times. Resolves when it steps. */
export async function startStepping(plan: Omit<SteppingPlan, 'timesFile'>): Promise<Stepping> {
  const programs = await bundlePrograms('test/chaos/stepping-trainer.ts', {});
  const root = mkdtempSync(join(tmpdir(), 'mealtable-steps-'));
  await chmod(root, 0o755); // as root another user runs Postgres and must get in
  const timesFile = join(root, 'times');
  const planFile = join(root, 'plan.json');
  writeFileSync(planFile, JSON.stringify({ ...plan, timesFile }));
  for (const folder of ['train/cat', 'train/dog', 'val/cat', 'val/dog']) {
    mkdirSync(join(root, 'toy', folder), { recursive: true });
    writeFileSync(join(root, 'toy', folder, '1.png'), 'an image');
  }
  const hub = new HubUnderTest(programs.hub, join(root, 'hub'));
  await hub.start();
  const link = new Link(hub.port, new Random(1));
  await link.open();
  const api = await hub.signIn();
  const { token } = await api.tokens.create.mutate({ kind: 'agent', label: 'steps' });
  const { agent, trainer } = programs;
  const places = { dir: join(root, 'host'), dataset: `toy=${join(root, 'toy')}`, agent, trainer };
  const host = new ChaosHost({ name: 'host', slots: 1, token, env: { STEPPING_PLAN: planFile }, ...places }, link);
  const close = async () => {
    await host.end('SIGTERM');
    await link.close();
    await hub.end('SIGTERM');
    programs.remove();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    host.start();
    await insist(() => api.studies.create.mutate({ name: 'Steps', notes: '', design: makeDesign(1) }));
    while ((await hub.query(`SELECT 1 FROM ${STORED_PARTS} LIMIT 1`)).length === 0) await sleep(100);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    hub,
    agentCpuSeconds: () => host.cpuSeconds(),
    async finish() {
      await host.end('SIGTERM');
      return readSteps(timesFile);
    },
    close,
  };
}

/** @param q 0.5 is the median */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
