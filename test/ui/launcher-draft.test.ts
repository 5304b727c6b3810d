/** The form of a launcher against the protocol's settings: nothing is lost on the way, and every problem is at its field. */
import type { LauncherEventView } from '@mealtable/protocol/launcher-views';
import { LauncherSettings } from '@mealtable/protocol/launchers';
import { describe, expect, it } from 'vitest';
import { groupSteps } from '../../components/launcher/group-steps.ts';
import { draftOf, emptyDraft, readDraft } from '../../components/launcher/launcher-draft.ts';

describe('the form of a launcher', () => {
  it.each([
    { kind: 'local', slots: 2 },
    {
      kind: 'ssh',
      ssh: {
        destination: 'anna@gpu1.example.org',
        port: 2222,
        identityFile: '~/.ssh/id',
        options: { ProxyJump: 'gate.example.org', Compression: 'yes' },
        controlMaster: false,
      },
      labels: ['a100', 'room:2'],
      datasetsDir: '/data/sets',
    },
    { kind: 'slurm', ssh: null, batch: {} },
    {
      kind: 'slurm',
      ssh: { destination: 'login' },
      batch: {
        partition: 'gpu',
        timeLimit: '2-0',
        cpus: 8,
        memory: '32G',
        extraLines: ['--nice=5', '--exclusive'],
        requeue: false,
      },
      maxJobs: 7,
    },
  ])('gives back the settings that it was opened with (%j)', (input) => {
    const settings = LauncherSettings.parse(input);
    const read = readDraft(draftOf('lab', settings));
    expect(read).toEqual({ ok: true, name: 'lab', settings });
  });

  it('says at each field what is wrong with it', () => {
    const ssh = readDraft({
      ...emptyDraft('ssh'),
      name: 'Lab 1',
      port: '70000',
      labels: 'A100',
      sshOptions: 'ProxyCommand nc',
    });
    expect(!ssh.ok && ssh.problems).toEqual({
      name: expect.stringMatching(/^A name is 1-40 lower-case letters/),
      'ssh.destination': expect.stringMatching(/^Give user@host/),
      'ssh.port': 'A port is 1-65535.',
      'ssh.options': expect.stringMatching(/^ProxyCommand: ProxyCommand cannot be set here/),
      labels: expect.stringMatching(/^A label has 1-63/),
    });
    const slurm = readDraft({
      ...emptyDraft('slurm'),
      name: 'c',
      isHere: true,
      cpus: 'many',
      extraLines: '--array=1-9',
    });
    expect(!slurm.ok && slurm.problems).toEqual({
      'batch.cpus': expect.any(String),
      'batch.extraLines': '--array is set by Mealtable: leave it out.',
    });
  });
});

describe('the steps of a launch', () => {
  const events = (...said: [step: string, kind: LauncherEventView['kind'], line: string][]): LauncherEventView[] =>
    said.map(([step, kind, line], i) => ({ id: i + 1, at: i * 1_000, step, kind, line }));

  it('are those since the last one began, each with its state and its output', () => {
    const steps = groupSteps(
      events(
        ...([
          ['launch', 'begun', 'first'],
          ['connect', 'failed', 'no connection'],
          ['launch', 'failed', 'no connection'],
          ['launch', 'begun', 'second'],
          ['connect', 'begun', 'Connecting.'],
          ['connect', 'done', 'Linux.'],
          ['install', 'begun', 'Installing.'],
          ['install', 'output', 'npm warn'],
        ] as Parameters<typeof events>),
      ),
    );
    expect(steps.map(({ step, state, message }) => [step, state, message])).toEqual([
      ['launch', 'begun', 'second'],
      ['connect', 'done', 'Linux.'],
      ['install', 'begun', 'Installing.'],
    ]);
    expect(steps[1]).toMatchObject({ startedAt: 4_000, endedAt: 5_000 });
    expect(steps[2]!.output.map(({ line }) => line)).toEqual(['npm warn']);
  });

  it('of a cluster are one for each job', () => {
    const steps = groupSteps(
      events(
        ['job', 'failed', 'Job 1.'],
        ['job', 'output', 'why'],
        ['job', 'done', 'Job 2.'],
        ['submit', 'begun', 'x'],
      ),
    );
    expect(steps.map(({ message, output }) => [message, output.length])).toEqual([
      ['Job 1.', 1],
      ['Job 2.', 0],
      ['x', 0],
    ]);
  });
});
