/** A host over a real ssh connection, from the form to a run that succeeded there, with the hub's key question in between. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LauncherSettings } from '@mealtable/protocol/launchers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStudy } from '../../server/studies/create.ts';
import { makeSmallProject, type SmallProject } from '../launch/support/small-project.ts';
import type { TestHub } from '../support/hub.ts';
import { startSshd } from '../support/sshd.ts';
import { callerAs, shortDesign, startLaunchHub } from './support.ts';

const sshd = await startSshd();
let test: TestHub;
let project: SmallProject;
let api: Awaited<ReturnType<typeof callerAs>>;
const settings = (change: object = {}) =>
  LauncherSettings.parse({
    kind: 'ssh',
    ssh: { ...sshd!.settings, hostKey: undefined },
    slots: 1,
    labels: ['a100'],
    ...change,
  });
const view = async (id: string) => (await api().launchers.list()).launchers.find((launcher) => launcher.id === id)!;
const steps = async (id: string) =>
  (await api().launchers.events({ id }))
    .filter(({ kind }) => kind !== 'output')
    .map(({ step, kind }) => `${step} ${kind}`);
const untilIdle = async (id: string) => {
  await expect.poll(async () => (await view(id)).task, { timeout: 120_000, interval: 200 }).toBeNull();
  return view(id);
};

/** An agent outlives its hub: also where a case failed before it stopped it, none is left. */
function endAgents(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const agent = path.join(folder, name);
    if (existsSync(path.join(agent, 'exit'))) continue;
    try {
      process.kill(Number(readFileSync(path.join(agent, 'started'), 'utf8').split(' ')[0]), 'SIGKILL');
    } catch (error) {
      // It has ended, or never began.
      if (!['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

describe.runIf(sshd !== null)('a host over ssh', () => {
  let id: string;
  beforeAll(async () => {
    project = await makeSmallProject({ withData: true });
    test = await startLaunchHub(project.root);
    api = await callerAs(test, 'owner');
  });
  afterAll(async () => {
    endAgents(path.join(sshd!.home, '.mealtable/agents'));
    await test?.close();
    project?.remove();
    await sshd?.close();
  });

  it('gets nothing before a person has accepted its key', async () => {
    id = (await api().launchers.add({ name: 'lab-1', settings: settings() })).id;
    await api().launchers.launch({ id });
    expect(await untilIdle(id)).toMatchObject({ fault: { code: 'host_key_unknown' }, hostKeyFingerprint: null });
    expect(existsSync(path.join(sshd!.home, '.mealtable'))).toBe(false);

    const shown = await api().launchers.readHostKey({ id });
    expect(shown).toMatchObject({ fingerprint: sshd!.fingerprint, isAccepted: false, hasOther: false });
    await expect(api().launchers.acceptHostKey({ id, line: `ssh-ed25519 ${'A'.repeat(40)}` })).rejects.toThrow(
      'another key by now',
    );
    await api().launchers.acceptHostKey({ id, line: shown.line });
    expect(await view(id)).toMatchObject({ fault: null, hostKeyFingerprint: sshd!.fingerprint });
  });

  it('is installed step by step, attaches as this launcher’s host with its labels, and trains', async () => {
    await api().launchers.launch({ id });
    await expect(api().launchers.launch({ id })).rejects.toThrow('launching already');
    expect(await untilIdle(id)).toMatchObject({ fault: null, agent: { state: 'running' } });
    expect((await steps(id)).slice(-14)).toEqual(
      [
        ...['launch begun', 'connect begun', 'connect done', 'node_version begun', 'node_version done'],
        ...['upload begun', 'upload done', 'install begun', 'install done', 'tensorflow begun', 'tensorflow done'],
        ...['start begun', 'start done', 'attached done', 'launch done'],
      ].slice(-14),
    );
    expect((await view(id)).hosts).toMatchObject([{ name: 'lab-1', isOnline: true }]);

    const studyId = await createStudy(test.hub, { name: 's', notes: '', design: shortDesign(), createdById: null });
    await test.hub.pool.query(`UPDATE runs SET required_labels = '{a100,lab-1}' WHERE study_id = $1`, [studyId]);
    test.hub.bus.emit('agents:nudge', null);
    await expect
      .poll(async () => (await test.hub.db.run.findMany({ where: { studyId } })).map(({ status }) => status), {
        timeout: 120_000,
        interval: 300,
      })
      .toEqual(['succeeded', 'succeeded']);
    expect((await api().launchers.tail({ id })).lines.join('\n')).toContain('lab-1');
  }, 240_000);

  it('is found again by a hub that was restarted, and a second launch keeps its agent', async () => {
    await test.restart();
    await expect.poll(async () => (await view(id)).agent?.state, { timeout: 60_000, interval: 200 }).toBe('running');
    const started = () => readFileSync(path.join(sshd!.home, `.mealtable/agents/${id}/started`), 'utf8');
    const before = started();
    await api().launchers.launch({ id });
    await untilIdle(id);
    expect(started()).toBe(before);
  });

  it('is not removed while it is at work; stopped, it says goodbye, and its token ends with it', async () => {
    await expect(api().launchers.remove({ id })).rejects.toThrow('is at work');
    await api().launchers.stop({ id });
    expect(await untilIdle(id)).toMatchObject({ fault: null, agent: { state: 'ended' } });
    await expect.poll(async () => (await view(id)).hosts).toMatchObject([{ isOnline: false }]);
    expect((await test.hub.db.host.findFirstOrThrow()).drainingAt).toBeNull();
    await api().launchers.remove({ id });
    expect(await test.hub.db.token.count({ where: { label: 'Launcher lab-1', revokedAt: null } })).toBe(0);
    expect(await test.hub.db.host.findFirstOrThrow()).toMatchObject({ launcherId: null });
  });

  it('that shows another key than the accepted one is refused loudly', async () => {
    id = (await api().launchers.add({ name: 'lab-2', settings: settings({ ssh: sshd!.settings }) })).id;
    await sshd!.changeKey();
    await api().launchers.launch({ id });
    expect((await untilIdle(id)).fault).toMatchObject({
      code: 'host_key_changed',
      message: expect.stringContaining('shows another key than the one that was accepted, so nothing was sent'),
    });
    expect(await api().launchers.readHostKey({ id })).toMatchObject({ isAccepted: false, hasOther: true });
    // Other settings of the same host keep the key; another host does not inherit it.
    await api().launchers.edit({ id, name: 'lab-2', settings: settings({ slots: 2 }) });
    expect((await view(id)).hostKeyFingerprint).not.toBeNull();
    await api().launchers.edit({ id, name: 'lab-2', settings: settings({ ssh: { destination: 'elsewhere' } }) });
    expect((await view(id)).hostKeyFingerprint).toBeNull();
  });

  it('has a name of its own, and an editor does not touch it', async () => {
    await expect(api().launchers.add({ name: 'lab-2', settings: settings() })).rejects.toThrow('There is a launcher');
    const editor = await callerAs(test, 'editor');
    await expect(editor().launchers.launch({ id })).rejects.toThrow('needs the role owner');
    await expect(editor().launchers.dryRun({ id })).rejects.toThrow('needs the role owner');
  });
});
