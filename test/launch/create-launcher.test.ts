/** A launcher from its settings alone: an agent on this machine, and a batch job of the real agent at the real hub. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LauncherSettings } from '@mealtable/protocol/launchers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLauncher } from '../../server/launch/create-launcher.ts';
import { type Launcher, type LaunchToken, launchToken } from '../../server/launch/launcher.ts';
import { createStudy } from '../../server/studies/create.ts';
import { smallDesign } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { startSlurm } from '../support/slurm.ts';
import { makeSmallProject, type SmallProject } from './support/small-project.ts';

/** The batch job alone, without the hub's launchers around it: `npm run test:launchers`. */
const isLong = process.env.MEALTABLE_LAUNCHERS === '1';
const slurm = isLong ? await startSlurm() : null;
const folder = mkdtempSync(path.join(tmpdir(), 'mealtable-launch-'));
let hub: TestHub;
let project: SmallProject;
let agentToken: string;
const launchers: Launcher[] = [];

beforeAll(async () => {
  [hub, project] = await Promise.all([startTestHub(), makeSmallProject({ withData: true })]);
  agentToken = (await hub.addToken({ kind: 'agent', label: 'launched' }, null)).token;
});
afterAll(async () => {
  for (const launcher of launchers) await launcher.close();
  await slurm?.close();
  await hub.close();
  project.remove();
  rmSync(folder, { recursive: true, force: true });
});

function create(settings: object): Launcher {
  const parsed = LauncherSettings.parse({ installFolder: `${folder}/install`, ...settings });
  const launcher = createLauncher(parsed, 'mt-2', {
    projectDir: project.root,
    variables: { ...process.env, ...slurm?.env },
    hasAttached: async (token: LaunchToken) => (await hub.hub.db.host.count({ where: { name: token } })) === 1,
    now: () => new Date(),
  });
  launchers.push(launcher);
  return launcher;
}
const submit = (launcher: Launcher, token: LaunchToken, runId: string | null) =>
  launcher.submit({ hubUrl: hub.url, agentToken, name: token, labels: [], runId }, token, () => {});

it('an agent on this machine is started, listed and stopped', async () => {
  const launcher = create({ kind: 'local', slots: 1 });
  const token = launchToken('hst_local');
  const result = await submit(launcher, token, null);
  expect(result.ok).toBe(true);
  const [status] = await launcher.list([]);
  expect(status).toMatchObject({ token, state: 'running' });
  expect(await launcher.stop(status!, 10_000)).toEqual({ ok: true, hasEnded: true });
  expect(await launcher.list([])).toMatchObject([{ state: 'ended', exit: { cause: 'exit', code: 0 } }]);
});

it.runIf(slurm !== null)(
  'a batch job installs the package once and trains the run that it is for',
  async () => {
    const launcher = create({
      kind: 'slurm',
      batch: { gres: 'gpu:1', timeLimit: '10' },
    });
    // The hub knows the dataset from the agent above.
    await createStudy(hub.hub, { name: 's', notes: '', design: smallDesign(), createdById: null });
    const { rows } = await hub.hub.pool.query<{ id: string }>(
      'SELECT r.id FROM runs r WHERE NOT EXISTS (SELECT 1 FROM run_dependencies d WHERE d.run_id = r.id)',
    );
    const runId = rows[0]!.id;
    const token = launchToken(runId, 1);
    const result = await submit(launcher, token, runId);
    expect(result.ok).toBe(true);
    const job = { token, handle: result.ok ? result.handle : '' };
    const find = async () => (await launcher.list([job])).find((status) => status.token === token);
    await expect.poll(find, { timeout: 60_000, interval: 500 }).toMatchObject({ state: 'ended' });
    const output = readFileSync(path.join(folder, 'install/jobs', token, 'output.log'), 'utf8');
    expect((await find())?.exit, output).toEqual({ cause: 'exit', code: 0, signal: null });
    expect((await hub.hub.db.run.findUniqueOrThrow({ where: { id: runId } })).status).toBe('succeeded');
  },
  90_000,
);
