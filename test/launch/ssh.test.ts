/** Scripts and files over a real ssh connection: what arrives, and what is told when something does not. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { fingerprintOf, readHostKey } from '../../server/launch/shell/host-key.ts';
import { putFile, runScript, type Shell } from '../../server/launch/shell/shell.ts';
import { sshShell } from '../../server/launch/shell/ssh-shell.ts';
import { startSshd } from '../support/sshd.ts';

const sshd = await startSshd();
const withSshd = it.runIf(sshd !== null);
const shells: Shell[] = [];
const open = (change: Partial<NonNullable<typeof sshd>['settings']> = {}) => {
  const shell = sshShell({ ...sshd!.settings, ...change }, process.env);
  shells.push(shell);
  return shell;
};
afterEach(async () => {
  for (const shell of shells.splice(0)) await shell.close();
});
afterAll(() => sshd?.close());

withSshd('a script comes back with its output, its results and its exit code, whatever quotes it holds', async () => {
  const shell = open();
  const lines: string[] = [];
  const script = `echo "it's \\"$((6 * 7))\\""; cat; printf 'no end'; exit 3`;
  const outcome = await runScript(shell, script, { onLine: (line) => lines.push(line) });
  expect(outcome).toEqual({ kind: 'done', code: 3, lines: [`it's "42"`, 'no end'] });
  expect(lines.slice(0, 2)).toEqual([`it's "42"`, 'no end']);
});

withSshd('a script killed there has ended, while a connection killed here leaves it unknown', async () => {
  const shell = open();
  expect(await runScript(shell, 'kill -9 $$')).toMatchObject({ kind: 'done', code: 137 });
  const lost = runScript(shell, 'echo started; sleep 20', {
    onLine: (line) => line === 'started' && sshd!.cutConnections(),
  });
  expect(await lost).toMatchObject({ kind: 'lost', fault: { code: 'unreachable' } });
  // The next call makes a new connection by itself.
  expect(await runScript(shell, 'echo back')).toEqual({ kind: 'done', code: 0, lines: ['back'] });
});

withSshd('a script that takes too long is lost, and told so', async () => {
  const outcome = await runScript(open(), 'sleep 20', { timeoutMs: 1500 });
  expect(outcome).toMatchObject({ kind: 'lost', fault: { code: 'unreachable' } });
  expect(outcome.kind === 'lost' && outcome.fault.message).toContain('no answer within 1.5 s');
});

withSshd('a file arrives whole, for the account alone', async () => {
  const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251));
  expect(await putFile(open(), '~/a/b/file', content)).toMatchObject({ kind: 'done', code: 0 });
  const file = path.join(sshd!.home, 'a/b/file');
  expect(readFileSync(file).equals(content)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

withSshd('half an upload never lies under the name of the file', async () => {
  const shell = open();
  // The first megabyte is there, then the line is cut.
  const upload = putFile(shell, '~/half/file', Buffer.alloc(400_000_000), { timeoutMs: 10_000 });
  const folder = path.join(sshd!.home, 'half');
  await expect.poll(() => bytesIn(folder), { timeout: 45_000, interval: 10 }).toBeGreaterThan(1_000_000);
  sshd!.cutConnections();
  expect(await upload).toMatchObject({ kind: 'lost' });
  expect(readdirSync(folder)).not.toContain('file');
  expect(await putFile(shell, '~/half/file', Buffer.from('whole'))).toMatchObject({ kind: 'done', code: 0 });
  expect(readFileSync(path.join(folder, 'file'), 'utf8')).toBe('whole');
});

withSshd(
  'the key that a host shows is read without logging in, with the fingerprint that ssh-keygen says',
  async () => {
    const result = await readHostKey({ ...sshd!.settings, identityFile: undefined, hostKey: undefined }, process.env);
    expect(result).toEqual({
      ok: true,
      hostKey: { line: sshd!.settings.hostKey, fingerprint: sshd!.fingerprint },
    });
    expect(fingerprintOf(sshd!.settings.hostKey!)).toBe(sshd!.fingerprint);
  },
);

withSshd('nothing is sent to a host whose key nobody has accepted', async () => {
  const outcome = await runScript(open({ hostKey: undefined }), 'touch ~/was-here');
  expect(outcome).toMatchObject({ kind: 'lost', fault: { code: 'host_key_unknown' } });
  expect(readdirSync(sshd!.home)).not.toContain('was-here');
});

withSshd('a key that is not on the host’s list, and a port where nobody listens, say what to do', async () => {
  const shut = await runScript(
    open({ identityFile: `${sshd!.settings.identityFile}.pub`, controlMaster: false }),
    'true',
  );
  expect(shut).toMatchObject({ kind: 'lost', fault: { code: 'not_allowed' } });
  const away = await runScript(open({ port: 1 }), 'true');
  expect(away).toMatchObject({ kind: 'lost', fault: { code: 'unreachable' } });
  expect(away.kind === 'lost' && away.fault.message).toMatch(/Connection refused.*check that "ssh .*" works/);
});

withSshd('a host that shows another key than the accepted one gets nothing', async () => {
  await sshd!.changeKey();
  const outcome = await runScript(open(), 'touch ~/was-here');
  expect(outcome).toMatchObject({ kind: 'lost', fault: { code: 'host_key_changed' } });
  expect(readdirSync(sshd!.home)).not.toContain('was-here');
});

function bytesIn(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  } catch {
    return 0; // not made yet
  }
}
