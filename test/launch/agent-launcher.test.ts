/** An agent on a host over a real ssh connection, attached to a real hub: installed, started, found again, replaced, ended. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentLauncher } from '../../server/launch/agent-launcher.ts';
import { type LaunchEvent, type LaunchSpec, launchToken } from '../../server/launch/launcher.ts';
import { buildPackage, readNodeRange } from '../../server/launch/package/build-package.ts';
import { chooseNode } from '../../server/launch/package/find-node.ts';
import { installPackage, lookAtHost } from '../../server/launch/package/install.ts';
import { sshShell } from '../../server/launch/shell/ssh-shell.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { startSshd } from '../support/sshd.ts';
import { makeSmallProject, type SmallProject } from './support/small-project.ts';

const FOLDER = '~/mt';
const sshd = await startSshd();
let hub: TestHub;
let project: SmallProject;
let spec: LaunchSpec;
let events: LaunchEvent[];
let launcher: AgentLauncher;
const token = launchToken('hst_gpu1');
/** Names of the hosts that the launches make. */
const names: Record<string, string> = { hst_gpu1: "anna's GPU $HOME", hst_bad: 'refused', hst_away: 'away' };
const report = (event: LaunchEvent) => events.push(event);
const steps = () =>
  events.filter(({ kind }) => kind !== 'begun' && kind !== 'output').map((e) => `${e.step} ${e.kind}`);
const inHome = (...parts: string[]) => path.join(sshd!.home, 'mt', ...parts);

function makeLauncher(nodePath?: string, attachWaitMs = 20_000): AgentLauncher {
  const shell = sshShell(sshd!.settings, process.env);
  const options = { installFolder: FOLDER, nodePath, device: null };
  return new AgentLauncher({
    kind: 'ssh',
    shell,
    place: { installFolder: FOLDER, slots: 1, datasetsDir: undefined, weightsDir: undefined },
    prepare: async (tell) => installPackage(shell, await buildPackage(project.root), options, tell),
    locate: async () => lookAtHost(shell, await buildPackage(project.root), options, () => {}),
    hasAttached: async (launched, since) =>
      (await hub.hub.db.host.count({
        where: { name: names[launched], detachedAt: null, lastSeenAt: { gte: since ?? new Date(0) } },
      })) === 1,
    now: () => new Date(),
    attachWaitMs,
  });
}

describe.runIf(sshd !== null)('an agent over ssh', () => {
  beforeAll(async () => {
    [hub, project] = await Promise.all([startTestHub(), makeSmallProject()]);
    const agentToken = (await hub.addToken({ kind: 'agent', label: 'ssh' }, null)).token;
    spec = { hubUrl: hub.url, agentToken, name: names[token]!, labels: [], runId: null };
    launcher = makeLauncher();
  });
  beforeEach(() => {
    events = [];
  });
  afterAll(async () => {
    for (const launched of await launcher.list([]))
      if (launched.state === 'running') await launcher.stop(launched, 10_000);
    await launcher.close();
    await hub.close();
    project.remove();
    await sshd!.close();
  });

  it('is installed and started with every step reported, and no secret in an argument', async () => {
    const result = await launcher.submit(spec, token, report);
    expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
    expect(steps()).toEqual([
      ...['connect done', 'node_version done', 'upload done', 'install done', 'tensorflow done'],
      ...['start done', 'attached done'],
    ]);
    expect(events.map(({ message }) => message).join('\n')).toContain('[tensorflow] none in this project');
    expect(events.find((e) => e.step === 'start' && e.kind === 'done')?.message).toMatch(
      /^The agent was started: process \d+, log in ~\/mt\/agents\/hst_gpu1\/agent\.log on /,
    );
    const [status] = await launcher.list([]);
    expect(status).toMatchObject({ token, state: 'running', exit: null, handle: result.ok && result.handle });
    expect(statSync(inHome('agents', token, 'token')).mode & 0o777).toBe(0o600);
    const commands = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' });
    expect(commands).toContain(`--token-file ${inHome('agents', token, 'token')}`);
    expect(commands).not.toContain(spec.agentToken);
    expect(JSON.stringify(events)).not.toContain(spec.agentToken);
  });

  it('is kept by a second launch, which sends nothing again', async () => {
    const [before] = await launcher.list([]);
    const again = makeLauncher();
    expect(await again.submit(spec, token, report)).toEqual({ ok: true, handle: before!.handle });
    await again.close();
    expect(steps()).toContain('upload skipped');
    expect(events.find((e) => e.step === 'start' && e.kind === 'done')?.message).toMatch(
      /^The agent of this version was running/,
    );
  });

  it('goes on through a broken connection, which makes it unknown only if nobody can look', async () => {
    const [before] = await launcher.list([]);
    sshd!.cutConnections();
    expect(await launcher.list([before!])).toEqual([before]);
    const away = new AgentLauncher({
      kind: 'ssh',
      shell: sshShell({ ...sshd!.settings, port: 1 }, process.env),
      place: { installFolder: FOLDER, slots: 1, datasetsDir: undefined, weightsDir: undefined },
      prepare: async () => ({ ok: false, fault: { code: 'unreachable', message: '' } }),
      locate: async () => ({ ok: false, fault: { code: 'unreachable', message: '' } }),
      hasAttached: async () => false,
      now: () => new Date(),
    });
    expect(await away.list([before!])).toEqual([
      expect.objectContaining({
        token,
        state: 'unknown',
        exit: null,
        reason: expect.stringContaining('Connection refused'),
      }),
    ]);
    await away.close();
  });

  it('is unknown when the host has no trace of it', async () => {
    const other = { token: launchToken('hst_other'), handle: '1 x:1' };
    expect(await launcher.list([other])).toContainEqual(expect.objectContaining({ ...other, state: 'unknown' }));
  });

  it('is replaced by another version beside the old one, whose dependencies it shares', async () => {
    const [before] = await launcher.list([]);
    project.change();
    const result = await launcher.submit(spec, token, report);
    expect(result.ok && result.handle).not.toBe(before!.handle);
    expect(events.find((e) => e.step === 'install' && e.kind === 'done')?.message).toMatch(/^The same dependencies/);
    expect(readdirSync(inHome('pkg'))).toHaveLength(2);
    expect(readdirSync(inHome('modules'))).toHaveLength(1);
    expect(await launcher.signal(before!, 'TERM')).toMatchObject({ ok: false, fault: { code: 'not_ours' } });
    expect(await launcher.list([])).toMatchObject([{ state: 'running' }]);
  });

  it('ends with its exit code when it is stopped', async () => {
    const [running] = await launcher.list([]);
    expect(await launcher.stop(running!, 10_000)).toEqual({ ok: true, hasEnded: true });
    expect(await launcher.list([])).toEqual([
      { ...running, state: 'ended', exit: { cause: 'exit', code: 0, signal: null } },
    ]);
  });

  it('ends with the signal that killed it', async () => {
    await launcher.submit(spec, token, report);
    const [running] = await launcher.list([]);
    expect(await launcher.signal(running!, 'KILL')).toMatchObject({ ok: true });
    await expect
      .poll(() => launcher.list([]), { timeout: 5_000 })
      .toMatchObject([{ state: 'ended', exit: { cause: 'exit', code: null, signal: 9 } }]);
  });

  it('that the hub refuses says why', async () => {
    const refused = await launcher.submit(
      { ...spec, agentToken: 'mt_agent_wrong', name: 'refused' },
      launchToken('hst_bad'),
      report,
    );
    expect(refused).toMatchObject({ ok: false, fault: { code: 'start_failed' } });
    expect(!refused.ok && refused.fault.message).toMatch(
      /ended at once with exit code 77: .*does not accept the agent token/,
    );
  });

  it('that cannot reach the hub is told, and goes on trying', async () => {
    const patient = makeLauncher(undefined, 1_500);
    const away = { ...spec, hubUrl: 'http://127.0.0.1:9', name: 'away' };
    const result = await patient.submit(away, launchToken('hst_away'), report);
    expect(result.ok).toBe(true);
    expect(events.at(-1)).toMatchObject({ step: 'attached', kind: 'failed' });
    expect(events.at(-1)!.message).toMatch(
      /has not reached http:\/\/127\.0\.0\.1:9 within 1\.5 s: check that .* can open/,
    );
    await patient.close();
  });

  it('is not started on a host without a fitting Node', async () => {
    writeFileSync(path.join(sshd!.home, 'old-node'), '#!/bin/sh\necho v18.20.4\n');
    chmodSync(path.join(sshd!.home, 'old-node'), 0o755);
    const old = makeLauncher('~/old-node');
    const result = await old.submit(spec, token, report);
    await old.close();
    expect(result).toMatchObject({ ok: false, fault: { code: 'no_node' } });
    expect(!result.ok && result.fault.message).toMatch(
      /has no Node that the agent runs on \(20\.19 or newer, below 23\); found: only 18\.20\.4 \(.*old-node\)\. Install one there, or give its path\.$/,
    );
  });

  it('is installed again where an install broke off', async () => {
    const [version = ''] = readdirSync(inHome('pkg')).sort();
    rmSync(inHome('pkg', version, '.complete'));
    rmSync(inHome('pkg', version, 'dist'), { recursive: true });
    rmSync(inHome('modules', readdirSync(inHome('modules'))[0]!, '.complete'));
    for (const name of readdirSync(inHome('pkg'))) rmSync(inHome('pkg', name, '.complete'), { force: true });
    expect((await launcher.submit(spec, token, report)).ok).toBe(true);
    expect(steps()).toContain('upload done');
    expect(readdirSync(inHome('pkg')).filter((name) => /part|tar/.test(name))).toEqual([]);
  });
});

describe('the package', () => {
  it('has the same bytes whoever builds it, and another hash for other contents', async () => {
    const small = await makeSmallProject();
    const first = await buildPackage(small.root);
    execFileSync('find', [small.root, '-exec', 'touch', '-d', '2001-01-01', '{}', '+']);
    expect((await buildPackage(small.root)).sha256).toBe(first.sha256);
    small.change();
    const changed = await buildPackage(small.root);
    expect(changed.sha256).not.toBe(first.sha256);
    expect(changed.lockSha256).toBe(first.lockSha256);
    rmSync(path.join(small.root, 'dist/trainer.js'));
    await expect(buildPackage(small.root)).rejects.toThrow(
      /dist\/trainer\.js is missing: build the project with npm run build\.$/,
    );
    small.remove();
  });

  it('names the Nodes that this project’s package.json asks for', () => {
    const file = path.resolve(import.meta.dirname, '../../package.json');
    expect(readNodeRange(readFileSync(file, 'utf8'))).toEqual({ from: [20, 19], below: 23 });
  });
});

it('the newest fitting Node is chosen', () => {
  const found = [
    'v20.20.2 /usr/bin/node',
    'v22.3.0 /home/a/.nvm/versions/node/v22.3.0/bin/node',
    'v23.1.0 /opt/node/bin/node',
  ];
  expect(chooseNode(found, { from: [20, 19], below: 23 })).toEqual({
    path: '/home/a/.nvm/versions/node/v22.3.0/bin/node',
  });
  expect(
    chooseNode(['v20.18.9 /a/node', 'v18.0.0 /b/node', 'v22.1.0 /c; id/node', 'nonsense'], {
      from: [20, 19],
      below: 23,
    }),
  ).toEqual({
    seen: ['20.18.9 (/a/node)', '18.0.0 (/b/node)'],
  });
});
