/** The real agent and a fake trainer, bundled, so that a test starts them in a fraction of a second. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../../..');

export interface Programs {
  agent: string;
  trainer: string;
  remove(): void;
}

export async function buildPrograms(): Promise<Programs> {
  // Inside the project, where packages are found.
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const outdir = mkdtempSync(join(ROOT, '.cache', 'agent-test-'));
  await build({
    absWorkingDir: ROOT,
    entryPoints: { agent: 'trainer/agent/main.ts', trainer: 'test/agent/support/fake-trainer.ts' },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // With the packages in it a program starts in half the time, and these tests start a hundred.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    alias: { '@mealtable/protocol': join(ROOT, 'protocol') },
    logLevel: 'error',
  });
  copyFileSync(join(ROOT, 'trainer/agent/trainer-shim.pl'), join(outdir, 'trainer-shim.pl'));
  return {
    agent: join(outdir, 'agent.mjs'),
    trainer: join(outdir, 'trainer.mjs'),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}
