// Bundles the project's own TypeScript into the programs in dist/; packages stay in node_modules.
import { copyFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot } from './shell.mjs';

export const PROGRAMS = {
  hub: 'server/main.ts',
  demo: 'server/demo.ts',
  agent: 'trainer/agent/main.ts',
  trainer: 'trainer/train/main.ts',
  evaluate: 'trainer/evaluate/main.ts',
  /** Threads of the trainer: they can load a program only. */
  'image-worker': 'trainer/data/image-worker.ts',
  /** Looks at a dataset's images for the agent. */
  'check-images': 'trainer/data/check-images.ts',
  /** Converts models for the hub. */
  'export-model': 'trainer/export/main.ts',
};

rmSync(inRoot('dist'), { recursive: true, force: true });
await build({
  absWorkingDir: inRoot(),
  entryPoints: PROGRAMS,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'linked',
  packages: 'external',
  alias: { '@mealtable/protocol': inRoot('protocol'), '@mealtable/trainer': inRoot('trainer') },
  logLevel: 'warning',
});
// The agent runs it beside itself; perl needs no building.
copyFileSync(inRoot('trainer/agent/trainer-shim.pl'), inRoot('dist/trainer-shim.pl'));
