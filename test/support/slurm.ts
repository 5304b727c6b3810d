/** A real Slurm of one controller and two nodes with two pretended GPUs each, on loopback, for the account that runs the tests. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { unpackPackages } from './debian.ts';
import { freePort } from './sshd.ts';

export interface TestSlurm {
  /** What Slurm's commands need, to be added to the environment. */
  env: Record<string, string>;
  /** Without a goodbye, losing what it has not written down yet. */
  killController(): void;
  /** While it is down: as if it had crashed before it wrote anything down. */
  forgetState(): void;
  startController(): Promise<void>;
  /** A node that cannot be reached while what it runs goes on. */
  freezeNode(name: NodeName): void;
  thawNode(name: NodeName): void;
  /** Whether the controller would know of it after a crash: it writes down what it knows only now and then. */
  hasSaved(name: string): boolean;
  /** Runs one of Slurm's commands. */
  command(program: string, ...args: string[]): string;
  close(): Promise<void>;
}
export type NodeName = 'n1' | 'n2';

const PACKAGES = [
  'slurmctld',
  'slurmd',
  'slurm-client',
  'slurm-wlm-basic-plugins',
  'libmunge2',
  'libhwloc15',
  'liblua5.1-0',
];
const LIBRARIES = `usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

/** @param config lines that replace those of the same name @returns null, after a sentence, where there is no Slurm to be had */
export async function startSlurm(config: Record<string, string> = {}): Promise<TestSlurm | null> {
  const programs = await findPrograms();
  if (!programs) return null;
  const dir = mkdtempSync(path.join(tmpdir(), 'mealtable-slurm-'));
  for (const folder of ['state', 'n1', 'n2', 'log', 'run']) mkdirSync(path.join(dir, folder));
  writeConfig(dir, programs.plugins, [await freePort(), await freePort(), await freePort()], config);
  const env = { ...programs.env, SLURM_CONF: path.join(dir, 'slurm.conf') };
  const command = (program: string, ...args: string[]) =>
    execFileSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 20_000 });
  const pidOf = (name: string) => Number(readFileSync(path.join(dir, 'run', `${name}.pid`), 'utf8'));
  const signal = (name: string, sent: NodeJS.Signals) => {
    try {
      process.kill(pidOf(name), sent);
    } catch {
      // It has ended already.
    }
  };
  const start = (program: string, args: string[]) =>
    new Promise<void>((resolve, reject) => {
      // They go into the background by themselves; the command ends then.
      const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
    });
  const nodesAreUp = () => {
    try {
      return command('sinfo', '-h', '-N', '-o', '%T')
        .trim()
        .split('\n')
        .every((state) => /^(idle|mixed|allocated)$/.test(state));
    } catch {
      return false; // the controller does not answer yet
    }
  };
  const slurm: TestSlurm = {
    env,
    killController: () => signal('slurmctld', 'SIGKILL'),
    forgetState() {
      rmSync(path.join(dir, 'state'), { recursive: true });
      mkdirSync(path.join(dir, 'state'));
    },
    startController: async () => {
      rmSync(path.join(dir, 'run', 'slurmctld.pid'), { force: true });
      await start('slurmctld', []);
    },
    freezeNode: (name) => signal(`slurmd-${name}`, 'SIGSTOP'),
    thawNode: (name) => signal(`slurmd-${name}`, 'SIGCONT'),
    hasSaved: (name) => readFileSync(path.join(dir, 'state', 'job_state')).includes(name),
    command,
    async close() {
      try {
        command('scancel', '-u', userInfo().username);
        await waitFor(() => command('squeue', '-h').trim() === '', 10_000);
      } catch {
        // The controller may be what the test has killed.
      }
      for (const name of ['slurmctld', 'slurmd-n1', 'slurmd-n2']) {
        signal(name, 'SIGCONT');
        signal(name, 'SIGTERM');
      }
      await waitFor(() => !/slurm(ctld|d|stepd)/.test(processesOf(dir)), 10_000);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await slurm.startController();
  for (const name of ['n1', 'n2']) await start('slurmd', ['-N', name, ...programs.slurmd]);
  await waitFor(nodesAreUp, 30_000);
  return slurm;
}

function writeConfig(dir: string, plugins: string, ports: number[], config: Record<string, string>): void {
  const me = userInfo().username;
  const lines: Record<string, string> = {
    ClusterName: 'test',
    SlurmctldHost: 'localhost(127.0.0.1)',
    SlurmctldPort: String(ports[0]),
    SlurmUser: me,
    SlurmdUser: me,
    PluginDir: plugins,
    AuthType: 'auth/none',
    CredType: 'cred/none',
    // Also how long a job waits before it starts again; less than 5 s is not taken.
    AuthInfo: 'cred_expire=5',
    StateSaveLocation: `${dir}/state`,
    SlurmdSpoolDir: `${dir}/%n`,
    SlurmctldPidFile: `${dir}/run/slurmctld.pid`,
    SlurmdPidFile: `${dir}/run/slurmd-%n.pid`,
    SlurmctldLogFile: `${dir}/log/slurmctld.log`,
    SlurmdLogFile: `${dir}/log/slurmd-%n.log`,
    MailProg: '/bin/true',
    ProctrackType: 'proctrack/pgid',
    TaskPlugin: 'task/none',
    MpiDefault: 'none',
    SwitchType: 'switch/none',
    JobAcctGatherType: 'jobacct_gather/none',
    AccountingStorageType: 'accounting_storage/none',
    SchedulerParameters: 'sched_interval=1,bf_interval=1,sched_min_interval=100000',
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_Core',
    ReturnToService: '2',
    KillWait: '5',
    MinJobAge: '300',
    SlurmctldTimeout: '30',
    SlurmdTimeout: '10',
    GresTypes: 'gpu',
    ...config,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}`);
  for (const [i, name] of ['n1', 'n2'].entries())
    text.push(
      `NodeName=${name} NodeAddr=127.0.0.1 Port=${ports[i + 1]} CPUs=2 RealMemory=1000 Gres=gpu:2 State=UNKNOWN`,
    );
  text.push('PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP');
  writeFileSync(path.join(dir, 'slurm.conf'), `${text.join('\n')}\n`);
  // Any device file will do; a plain one is refused.
  const gpus = ['/dev/null', '/dev/zero'].map((file) => `NodeName=n[1-2] Name=gpu File=${file}\n`);
  writeFileSync(path.join(dir, 'gres.conf'), gpus.join(''));
}

interface Programs {
  env: Record<string, string>;
  plugins: string;
  /** Further arguments of slurmd. */
  slurmd: string[];
}

async function findPrograms(): Promise<Programs | null> {
  if (existsSync('/usr/sbin/slurmctld')) return { env: {}, plugins: `/${LIBRARIES}/slurm-wlm`, slurmd: [] };
  const root = await unpackPackages('slurm', PACKAGES);
  if (!root) return null;
  const sbin = path.join(root, 'usr/sbin');
  // Slurm looks at the name that it was started under, and forgets its GPUs under another one.
  for (const name of ['slurmctld', 'slurmd', 'slurmstepd'])
    if (!existsSync(path.join(sbin, name))) symlinkIfAbsent(`${name}-wlm`, path.join(sbin, name));
  const plugins = path.join(root, LIBRARIES, 'slurm-wlm');
  return {
    env: {
      LD_LIBRARY_PATH: `${path.join(root, LIBRARIES)}:${plugins}`,
      PATH: `${path.join(root, 'usr/bin')}:${sbin}:${process.env.PATH}`,
    },
    plugins,
    slurmd: ['-d', path.join(sbin, 'slurmstepd')],
  };
}

function symlinkIfAbsent(target: string, file: string): void {
  try {
    symlinkSync(target, file);
  } catch (error) {
    // Another test file was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Daemons name their folder in the environment or in an open file only, so their own process ids are asked. */
function processesOf(dir: string): string {
  return ['slurmctld', 'slurmd-n1', 'slurmd-n2']
    .map((name) => {
      try {
        const pid = readFileSync(path.join(dir, 'run', `${name}.pid`), 'utf8').trim();
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return ''; // ended
      }
    })
    .join('\n');
}

async function waitFor(isTrue: () => boolean, limitMs: number): Promise<void> {
  for (const deadline = performance.now() + limitMs; !isTrue(); ) {
    if (performance.now() > deadline) throw new Error(`Slurm: waited ${limitMs / 1000} s in vain.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
