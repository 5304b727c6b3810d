import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { StepResult } from '../support/distillation-step.ts';

const PROGRAM = fileURLToPath(new URL('../support/distillation-step.ts', import.meta.url));
const execute = promisify(execFile);

/** The program in a process of its own, because TensorFlow is chosen once per process. */
async function runSteps(env: Record<string, string>): Promise<StepResult & { stderr: string }> {
  const { stdout, stderr } = await execute(process.execPath, ['--import', 'tsx', PROGRAM], {
    env: { ...process.env, MEALTABLE_ENGINE: '', MEALTABLE_THREADS: '', ...env },
  });
  return { ...JSON.parse(stdout.trim().split('\n').at(-1)!), stderr };
}

describe('the two engines', () => {
  let native: StepResult & { stderr: string };
  let plain: StepResult & { stderr: string };
  beforeAll(async () => {
    [native, plain] = await Promise.all([runSteps({ MEALTABLE_THREADS: '1' }), runSteps({ MEALTABLE_ENGINE: 'cpu' })]);
  });

  test('the plain one is announced in a sentence that says what to do, and prints no advertisement', () => {
    expect(plain.backend).toBe('cpu');
    expect(plain.announce).toContain('because MEALTABLE_ENGINE=cpu asks for it: leave that out');
    expect(plain.stderr).not.toContain('tfjs-node');
  });

  test('the native one is silent about itself, or says why it is not there', () => {
    if (native.backend === 'tensorflow') expect(native.announce).toBeNull();
    else expect(native.announce).toContain('run "npm run setup --workspace trainer"');
    expect(native.stderr).not.toContain('Deprecation');
  });

  test('compute the same losses and weights in two steps of MEAL V2, and leave no tensor behind', () => {
    expect(native.leaked).toBe(0);
    expect(plain.leaked).toBe(0);
    for (const [i, loss] of plain.losses.entries()) expect(native.losses[i]).toBeCloseTo(loss, 3);
    for (const [name, norm] of Object.entries(plain.norms)) {
      expect(Math.abs(native.norms[name]! - norm), name).toBeLessThan(2e-3 * Math.max(norm, 0.1));
    }
  });
});

test('settings that mean nothing are refused by name', async () => {
  await expect(runSteps({ MEALTABLE_THREADS: 'many' })).rejects.toThrow('MEALTABLE_THREADS is "many"');
  await expect(runSteps({ MEALTABLE_XLA: 'yes' })).rejects.toThrow('MEALTABLE_XLA is "yes"');
  await expect(runSteps({ MEALTABLE_ENGINE: 'cuda' })).rejects.toThrow('MEALTABLE_ENGINE is "cuda"');
});
