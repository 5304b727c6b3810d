/** What a training host needs: the trainer workspace's packages and nothing else. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import trainerPackage from '../../trainer/package.json' with { type: 'json' };
import { AgentProcess } from './support/agent-process.ts';
import { bundleHostPrograms } from './support/host-bundle.ts';
import { TestHub, TOKEN } from './support/test-hub.ts';
import { waitUntil } from './support/wait-until.ts';

const MODULES = resolve(import.meta.dirname, '../../node_modules');

let dir: string;
let imported: Set<string>;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'mealtable-host-')));
  imported = await bundleHostPrograms(join(dir, 'dist'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the programs of a host import nothing beyond the trainer’s own dependencies', () => {
  const allowed = Object.keys(trainerPackage.dependencies);
  expect(imported).toContain('socket.io-client');
  expect([...imported].filter((name) => !isBuiltin(name) && !allowed.includes(name))).toEqual([]);
});

test('the agent starts and attaches from a folder that has those alone', async () => {
  for (const name of Object.keys(trainerPackage.dependencies).filter((name) => !name.startsWith('@mealtable/'))) {
    mkdirSync(dirname(join(dir, 'node_modules', name)), { recursive: true });
    symlinkSync(join(MODULES, name), join(dir, 'node_modules', name));
  }
  const hub = new TestHub();
  await hub.start();
  const flags = ['--hub', hub.url, '--token', TOKEN, '--dir', join(dir, 'state')];
  const agent = new AgentProcess(join(dir, 'dist', 'agent.js'), flags);
  try {
    await waitUntil(`hello; ${agent.output}`, () => hub.hellos.length === 1, 20_000);
    expect(await agent.kill('SIGTERM')).toBe(0);
  } finally {
    await agent.kill('SIGKILL');
    await waitUntil('no connection is left', () => hub.connections === 0);
    await hub.kill();
  }
});
