/**
 * `npm run agent` on a host that has the trainer workspace's dependencies and nothing else: no Next, no Prisma, no compiler.
 * `npm run test:host`: it installs packages from the registry, so it is no part of `npm test`; test/agent/host-bundle is the short form.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bundleHostPrograms } from '../agent/support/host-bundle.ts';
import { makeGrant } from '../agent/support/make-grant.ts';
import { TestHub, TOKEN } from '../agent/support/test-hub.ts';
import { waitUntil } from '../agent/support/wait-until.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const COPIED = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  '.setup',
  'protocol/package.json',
  'trainer/package.json',
  'trainer/engine/setup',
  'trainer/datasets',
];

const dir = mkdtempSync(join(tmpdir(), 'mealtable-host-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a host with the trainer’s dependencies alone attaches and trains', { timeout: 1_200_000 }, async () => {
  for (const path of COPIED) cpSync(join(ROOT, path), join(dir, path), { recursive: true });
  await bundleHostPrograms(join(dir, 'dist'));
  const install = [
    'ci',
    '--workspace',
    '@mealtable/trainer',
    '--omit=dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ];
  execFileSync('npm', install, { cwd: dir, stdio: 'inherit' });
  for (const absent of ['next', 'prisma', '@prisma/client', 'esbuild', 'typescript', 'tsx'])
    expect(existsSync(join(dir, 'node_modules', absent)), absent).toBe(false);

  const hub = new TestHub();
  await hub.start();
  const grant = makeGrant({ steps: 0, end: 'succeed' });
  Object.assign(grant.config, { dataset: 'digits', inputSize: 16, batchSize: 512 });
  hub.enqueue(grant);
  const flags = ['--hub', hub.url, '--token', TOKEN, '--dir', join(dir, 'state')];
  const agent = spawn('npm', ['run', 'agent', '--', ...flags], { cwd: dir, stdio: 'inherit' });
  try {
    const ended = await waitUntil('the run is told to the end', () => hub.attemptOf(grant).ended, 900_000);
    expect(ended).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
  } finally {
    // Its own process: npm passes no signal on.
    const lock = join(dir, 'state', 'agent.lock');
    if (existsSync(lock)) process.kill(JSON.parse(readFileSync(lock, 'utf8')).pid, 'SIGTERM');
    else agent.kill('SIGKILL');
    await waitUntil('no connection is left', () => hub.connections === 0 && !existsSync(lock), 60_000);
    await hub.kill();
  }
});
