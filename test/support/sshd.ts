/** A real OpenSSH server on a free loopback port, for the account that runs the tests, with a home folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { SshSettings } from '@mealtable/protocol/launchers';
import { unpackPackages } from './debian.ts';

export interface TestSshd {
  /** Logs in by a key of the test's own; the host's key is accepted. */
  settings: SshSettings;
  /** Home folder of whoever logs in. */
  home: string;
  /** What ssh-keygen says of the host's key. */
  fingerprint: string;
  /** Gives the host another key. */
  changeKey(): Promise<void>;
  /** Ends every connection at once, without a goodbye, and keeps listening. */
  cutConnections(): void;
  close(): Promise<void>;
}

/** @returns null, after a sentence, where there is no server to be had */
export async function startSshd(variables: Record<string, string> = {}): Promise<TestSshd | null> {
  const server = await findServer();
  if (!server) return null;
  // What sshd reads must be writable by nobody else, up to the root folder.
  const dir = mkdtempSync(path.join(tmpdir(), 'mealtable-sshd-'));
  const home = path.join(dir, 'home');
  mkdirSync(home);
  const makeKey = (name: string) => {
    rmSync(path.join(dir, name), { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(dir, name)]);
    return readFileSync(path.join(dir, `${name}.pub`), 'utf8').trim();
  };
  const hostKey = makeKey('hostkey');
  writeFileSync(path.join(dir, 'authorized_keys'), `${makeKey('id')}\n`, { mode: 0o600 });
  const port = await freePort();
  const set = Object.entries({ HOME: home, ...variables }).map(([name, value]) => `"${name}=${value}"`);
  writeFileSync(
    path.join(dir, 'config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${dir}/hostkey`,
      `PidFile ${dir}/sshd.pid`,
      `AuthorizedKeysFile ${dir}/authorized_keys`,
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'UsePAM no',
      'StrictModes no',
      `SetEnv ${set.join(' ')}`,
    ].join('\n'),
  );
  const prefix = provideServiceUser(dir);
  let child: ChildProcess;
  const start = async () => {
    const [program, ...args] = [...prefix, server.program, '-D', '-e', '-f', path.join(dir, 'config')];
    child = spawn(program!, args, {
      env: { ...process.env, ...server.env },
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own, so that its connections can be ended with it.
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr!.on('data', (chunk: Buffer) => {
        said += chunk;
        if (said.includes('Server listening on')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${said}`)));
    });
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  await start();
  const connections = () =>
    execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, parent]) => parent === child.pid)
      .map(([pid]) => pid!);
  const cutConnections = () => {
    for (const pid of connections()) process.kill(pid, 'SIGKILL');
  };
  return {
    settings: SshSettings.parse({
      destination: `${userInfo().username}@127.0.0.1`,
      port,
      identityFile: path.join(dir, 'id'),
      hostKey: hostKey.split(' ').slice(0, 2).join(' '),
    }),
    home,
    fingerprint: execFileSync('ssh-keygen', ['-lf', path.join(dir, 'hostkey.pub')], { encoding: 'utf8' }).split(
      ' ',
    )[1]!,
    async changeKey() {
      await stop();
      makeKey('hostkey');
      await start();
    },
    cutConnections,
    async close() {
      cutConnections();
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * A server that runs as root gives up its rights as the user sshd, which the package's installation would make. It gets one that only
 * it can see. @returns words to start it with
 */
function provideServiceUser(dir: string): string[] {
  const users = readFileSync('/etc/passwd', 'utf8');
  if (process.getuid?.() !== 0) return [];
  mkdirSync('/run/sshd', { recursive: true });
  if (/^sshd:/m.test(users)) return [];
  const file = path.join(dir, 'passwd');
  writeFileSync(file, `${users.trimEnd()}\nsshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n`, { mode: 0o644 });
  const words = ['unshare', '--mount', 'sh', '-c', `mount --bind ${file} /etc/passwd && exec "$@"`, 'sh'];
  try {
    execFileSync(words[0]!, [...words.slice(1), 'true'], { stdio: 'ignore' });
    return words;
  } catch {
    // A container without the right to mount: it is thrown away with its users.
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'sshd']);
    return [];
  }
}

async function findServer(): Promise<{ program: string; env: Record<string, string> } | null> {
  if (existsSync('/usr/sbin/sshd')) return { program: '/usr/sbin/sshd', env: {} };
  const root = await unpackPackages('sshd', ['openssh-server', 'libwrap0']);
  if (!root) return null;
  return {
    program: path.join(root, 'usr/sbin/sshd'),
    env: {
      LD_LIBRARY_PATH: path.join(root, 'usr/lib', `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`),
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
