/** A built project in small: the real agent, a fake trainer, and a lock file without dependencies, so that npm needs no network. */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildPrograms } from '../../agent/support/programs.ts';

const PROJECT = path.resolve(import.meta.dirname, '../../..');

export interface SmallProject {
  root: string;
  /** Makes it another version. */
  change(): void;
  remove(): void;
}

/** @param withData puts the demo dataset into the package */
export async function makeSmallProject({ withData = false } = {}): Promise<SmallProject> {
  const root = mkdtempSync(path.join(tmpdir(), 'mealtable-project-'));
  const write = (file: string, content: object | string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const workspaces = ['protocol', 'trainer'];
  write('package.json', { name: 'small', type: 'module', workspaces, engines: { node: '>=20.19 <23' } });
  write('.npmrc', 'ignore-scripts=true\n');
  const packages: Record<string, object> = { '': { name: 'small', workspaces } };
  for (const name of workspaces) {
    const pack = { name: `@mealtable/${name}`, version: '0.1.0' };
    write(`${name}/package.json`, pack);
    packages[name] = pack;
    packages[`node_modules/${pack.name}`] = { resolved: name, link: true };
  }
  write('package-lock.json', { name: 'small', lockfileVersion: 3, requires: true, packages });
  const programs = await buildPrograms();
  for (const name of ['image-worker', 'check-images']) write(`dist/${name}.js`, '');
  copyFileSync(programs.agent, path.join(root, 'dist/agent.js'));
  copyFileSync(path.join(PROJECT, 'trainer/agent/trainer-shim.pl'), path.join(root, 'dist/trainer-shim.pl'));
  // A job's environment is not the test's.
  const script = JSON.stringify({ steps: 20, everyMs: 5, checkpointEvery: 10, end: 'succeed' });
  write(
    'dist/trainer.js',
    `process.env.FAKE_SCRIPT ??= '${script}';
${readFileSync(programs.trainer, 'utf8')}`,
  );
  if (withData)
    cpSync(path.join(PROJECT, 'trainer/datasets'), path.join(root, 'trainer/datasets'), { recursive: true });
  write('trainer/engine/setup/main.mjs', "console.log('[tensorflow] none in this project'); process.exit(3);\n");
  programs.remove();
  return {
    root,
    change: () => appendFileSync(path.join(root, 'dist/agent.js'), '\n// another version\n'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
