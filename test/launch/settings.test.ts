/** Settings of launchers: whatever could become a second argument, a second line or a command is refused with its field and the fix. */
import { LauncherSettings, SSH_OPTIONS } from '@mealtable/protocol/launchers';
import { expect, it } from 'vitest';

const ssh = { destination: 'anna@gpu1.example.org' };
const problemOf = (settings: object) => {
  const issue = LauncherSettings.safeParse(settings).error?.issues[0];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
};
const problemOfLine = (line: string) => problemOf({ kind: 'slurm', batch: { extraLines: [line] } });

it('fill in what is not given', () => {
  expect(LauncherSettings.parse({ kind: 'ssh', ssh })).toEqual({
    kind: 'ssh',
    installFolder: '~/.mealtable',
    labels: [],
    ssh: { ...ssh, options: {}, controlMaster: true },
  });
  expect(LauncherSettings.parse({ kind: 'slurm', batch: {} })).toMatchObject({
    ssh: null,
    maxJobs: 100,
    batch: { requeue: true, signalLeadSeconds: 180, extraLines: [] },
  });
});

it.each(['-oProxyCommand=touch /tmp/x', 'anna@-oProxyCommand=x', 'a b', 'host;id', 'host\n', '$(id)', ''])(
  'refuse the destination %j',
  (destination) => {
    expect(problemOf({ kind: 'ssh', ssh: { destination } })).toMatch(/^ssh\.destination: Give user@host, a host, or/);
  },
);

it.each(['ProxyCommand', 'LocalCommand', 'StrictHostKeyChecking', 'UserKnownHostsFile', 'proxyjump'])(
  'refuse the ssh option %s',
  (name) => {
    expect(problemOf({ kind: 'ssh', ssh: { ...ssh, options: { [name]: 'yes' } } })).toMatch(
      new RegExp(
        `^ssh\\.options\\.${name}: ${name} cannot be set here; these can: AddressFamily, .*hub's ssh config\\.$`,
      ),
    );
  },
);

it('refuse a value that an option does not take', () => {
  expect(problemOf({ kind: 'ssh', ssh: { ...ssh, options: { ProxyJump: 'a;id' } } })).toBe(
    'ssh.options.ProxyJump: "a;id" is no value for ProxyJump.',
  );
  for (const [name, shape] of Object.entries(SSH_OPTIONS))
    for (const value of ['', 'a b', 'x\ny', '%h', '`id`', '-x', '"'])
      expect(shape.test(value), `${name} ${value}`).toBe(false);
});

it.each(['/', '~', '/a/../b', '/with space', '~/a;b', 'relative', '/a$b'])('refuse the folder %j', (installFolder) => {
  expect(problemOf({ kind: 'local', installFolder })).toMatch(/^installFolder: Give the folder /);
});

it.each([
  ['-C a100', 'A line is one option of sbatch in its long form, such as --constraint=a100.'],
  ['#SBATCH --nodes=1', 'A line is one option of sbatch in its long form, such as --constraint=a100.'],
  ['--constraint=a100\nid', 'Write each option on a line of its own.'],
  ['--constraint=a100\rid', 'Write each option on a line of its own.'],
  ['--job-name=x', '--job-name is set by Mealtable: leave it out.'],
  ['--comment x', '--comment is set by Mealtable: leave it out.'],
  ['--comm=x', '--comm is set by Mealtable: leave it out.'],
  ['--no-requeue', '--no-requeue is set by Mealtable: leave it out.'],
])('refuse the line %j', (line, problem) => {
  expect(problemOfLine(line)).toBe(`batch.extraLines.0: ${problem}`);
});

it.each(['--constraint=a100', '--exclude=n[1-2]', '--mail-type END', '--exclusive', '--nice=10'])(
  'take the line %j',
  (line) => {
    expect(problemOfLine(line)).toBeUndefined();
  },
);

it('name a time limit that Slurm would not read', () => {
  const problem = (timeLimit: string) => problemOf({ kind: 'slurm', batch: { timeLimit } });
  for (const good of ['90', '90:30', '12:00:00', '2-0', '2-12:30', '2-12:30:00']) expect(problem(good)).toBeUndefined();
  for (const bad of ['2 days', '1h', '12:00:00:00', ''])
    expect(problem(bad)).toMatch(/^batch\.timeLimit: A time limit is/);
});
