/** The programs under test, bundled from the working tree: the hub with the times of `times.ts`, the agent as it is. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../..');

export interface ChaosPrograms {
  hub: string;
  agent: string;
  trainer: string;
  remove(): void;
}

/** @param trainer source file of the trainer @param times constants of protocol/tunables.ts, by name, with other values for the hub */
export async function bundlePrograms(trainer: string, times: Record<string, number>): Promise<ChaosPrograms> {
  // Inside the project, where packages are found.
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const outdir = mkdtempSync(join(ROOT, '.cache', 'chaos-'));
  const options = {
    absWorkingDir: ROOT,
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    alias: { '@mealtable/protocol': join(ROOT, 'protocol'), '@mealtable/trainer': join(ROOT, 'trainer') },
    logLevel: 'error',
  } as const;
  await Promise.all([
    build({ ...options, entryPoints: { hub: 'test/chaos/hub-main.ts' }, plugins: [otherTimes(times)] }),
    build({ ...options, entryPoints: { agent: 'trainer/agent/main.ts', trainer } }),
  ]);
  copyFileSync(join(ROOT, 'trainer/agent/trainer-shim.pl'), join(outdir, 'trainer-shim.pl'));
  return {
    hub: join(outdir, 'hub.js'),
    agent: join(outdir, 'agent.js'),
    trainer: join(outdir, 'trainer.js'),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}

/** The tunables are constants of one module, which the hub sends to its agents: other constants are another hub. */
function otherTimes(times: Record<string, number>): Plugin {
  return {
    name: 'other times',
    setup({ onLoad }) {
      onLoad({ filter: /protocol\/tunables\.ts$/ }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [name, value] of Object.entries(times)) {
          const constant = new RegExp(`(?<=^export const ${name} = )[^;]+`, 'm');
          if (!constant.test(contents)) throw new Error(`protocol/tunables.ts has no constant ${name}.`);
          contents = contents.replace(constant, String(value));
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
