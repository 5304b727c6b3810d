import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLinked } from '../../trainer/engine/setup/addon.mjs';
import { hasLibrary } from '../../trainer/engine/setup/library.mjs';
import { withLock } from '../../trainer/engine/setup/lock.mjs';
import { findCacheFolder, makePlan } from '../../trainer/engine/setup/plan.mjs';

const SETUP = fileURLToPath(new URL('../../trainer/engine/setup/', import.meta.url));
const plan = makePlan(process.env);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mealtable-setup-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(command, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const setUp = (args: string[], env: Record<string, string> = {}): Promise<Outcome> =>
  run(process.execPath, [path.join(SETUP, 'main.mjs'), ...args], env);

/** An empty cache, so that the set-up has everything to do; every case below ends before anything is linked. */
async function emptyCache(): Promise<{ MEALTABLE_CACHE: string }> {
  return { MEALTABLE_CACHE: await mkdtemp(path.join(folder, 'cache-')) };
}

describe('what cannot be had ends with code 3 and one sentence that says what to do', () => {
  test('Python is missing', async () => {
    const { code, stdout } = await setUp([], { ...(await emptyCache()), PATH: folder });
    expect(stdout).toContain('Python 3 is missing: install python3 and its pip');
    expect(stdout).toContain('Until then training runs in plain JavaScript');
    expect(code).toBe(3);
  });

  test('the download is refused', async () => {
    const closed = { PIP_INDEX_URL: 'http://127.0.0.1:1/', PIP_RETRIES: '0', PIP_NO_INDEX: '', PIP_FIND_LINKS: '' };
    const { code, stdout } = await setUp([], { ...(await emptyCache()), ...closed });
    expect(stdout).toMatch(/pip could not download tensorflow.*: check the network, or put the wheel into a folder/);
    expect(code).toBe(3);
  });

  test('the named folder holds no wheel', async () => {
    const { code, stdout } = await setUp(['--wheel-dir', folder], await emptyCache());
    expect(stdout).toContain(`The folder ${folder} holds no wheel of ${plan.distribution}==`);
    expect(code).toBe(3);
  });

  test('the wheel in the named folder is damaged, and stays where the user put it', async () => {
    const wheels = await mkdtemp(path.join(folder, 'wheels-'));
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const name = `${plan.distribution.replaceAll('-', '_')}-2.21.0-cp312-cp312-manylinux_2_27_${machine}.whl`;
    await writeFile(path.join(wheels, name), 'half a download');
    const { code, stdout } = await setUp([], { ...(await emptyCache()), MEALTABLE_WHEEL_DIR: wheels });
    expect(stdout).toMatch(/could not be unpacked: it is not a complete wheel .*; get it again\./);
    expect(await readdir(wheels)).toEqual([name]);
    expect(code).toBe(3);
  });

  test.runIf(hasLibrary(plan))('the compiler is missing', async () => {
    const cache = await emptyCache();
    const library = path.join(cache.MEALTABLE_CACHE, 'libraries', plan.key);
    await mkdir(library, { recursive: true });
    await symlink(path.join(plan.libraryRoot, 'tensorflow'), path.join(library, 'tensorflow'));
    await cp(path.join(plan.libraryRoot, 'complete.json'), path.join(library, 'complete.json'));
    const { code, stdout } = await setUp([], { ...cache, CXX: 'no-such-compiler' });
    expect(stdout).toContain('The C++ compiler no-such-compiler is missing: install one');
    expect(code).toBe(3);
  });
});

test('a wrong option or setting is refused with code 1', async () => {
  const option = await setUp(['--fast']);
  expect([option.code, option.stdout]).toEqual([1, expect.stringContaining('The options are --wheel-dir FOLDER')]);
  const setting = await setUp([], { MEALTABLE_TENSORFLOW: 'tpu' });
  expect([setting.code, setting.stdout]).toEqual([1, expect.stringContaining('MEALTABLE_TENSORFLOW is "tpu"')]);
});

test.runIf(isLinked(plan))('when all is ready it says so at once, and the doctor finds nothing missing', async () => {
  const { code, stdout } = await setUp([]);
  expect([code, stdout]).toEqual([0, '[tensorflow] TensorFlow 2.21.0 is ready\n']);
  const doctor = await setUp(['--doctor']);
  expect(doctor.stdout).toMatch(/Works +yes: TensorFlow 2\.21\.0 computes on the/);
  expect(doctor.stdout).not.toContain('missing');
  expect(doctor.code).toBe(0);
});

test('on a GPU host the doctor counts the CUDA libraries and names those that are missing', async () => {
  const cache = await emptyCache();
  const { libraryRoot } = makePlan({ ...process.env, ...cache, MEALTABLE_TENSORFLOW: 'gpu' });
  for (const file of ['cudnn/lib/libcudnn.so.9', 'cublas/lib/libcublas.so.12', 'cublas/lib/libcublasLt.so.12']) {
    const at = path.join(libraryRoot, 'nvidia', file);
    await mkdir(path.dirname(at), { recursive: true });
    await writeFile(at, '');
  }
  // Without the system's own libraries, of which this machine may have any.
  const { stdout } = await setUp(['--doctor'], { ...cache, MEALTABLE_TENSORFLOW: 'gpu', PATH: folder });
  expect(stdout).toMatch(/Driver +\S+/);
  const [, found, missing] = /CUDA +(\d) of 8 libraries found; missing: (.*)/.exec(stdout) ?? [];
  expect(Number(found)).toBeGreaterThanOrEqual(3);
  expect(missing).not.toContain('libcudnn.so.9');
  expect(missing).toContain('libcu');
});

test('the doctor names what is missing and changes nothing', async () => {
  const cache = await emptyCache();
  const { code, stdout } = await setUp(['--doctor'], { ...cache, CXX: 'no-such-compiler' });
  expect(stdout).toContain('C++ compiler missing');
  expect(stdout).toContain('not in the cache yet');
  expect(stdout).toContain('run "npm run setup --workspace trainer"');
  expect(code).toBe(3);
  expect(await readdir(cache.MEALTABLE_CACHE)).toEqual([]);
});

test('the cache folder is MEALTABLE_CACHE, or follows the XDG convention', () => {
  expect(findCacheFolder({ MEALTABLE_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(findCacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/mealtable');
});

describe('unpacking a wheel', () => {
  /** A wheel with two files and a RECORD; `record` may replace a hash. */
  async function makeWheel(record: Record<string, string> = {}, names = ['pkg/wanted.so', 'pkg/other.py']) {
    const wheel = path.join(folder, `${randomUUID()}.whl`);
    const program = `
import base64, hashlib, json, sys, zipfile
names, override = json.loads(sys.argv[2]), json.loads(sys.argv[3])
digest = lambda data: "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
with zipfile.ZipFile(sys.argv[1], "w") as z:
    for name in names: z.writestr(name, name * 1000)
    z.writestr("pkg-1.dist-info/RECORD", "\\n".join(n + "," + override.get(n, digest((n * 1000).encode())) + ",1" for n in names))
`;
    const { code, stderr } = await run('python3', [
      '-c',
      program,
      wheel,
      JSON.stringify(names),
      JSON.stringify(record),
    ]);
    expect([code, stderr]).toEqual([0, '']);
    return wheel;
  }
  const unpack = (wheel: string, into: string, pattern: string): Promise<Outcome> =>
    run('python3', [path.join(SETUP, 'unpack-wheel.py'), wheel, into, pattern]);

  test('takes the wanted files and checks their hashes', async () => {
    const into = await mkdtemp(path.join(folder, 'into-'));
    const { code, stdout } = await unpack(await makeWheel(), into, 'pkg/.*\\.so');
    expect([code, stdout]).toEqual([0, '13000 13000\n']);
    expect(await readdir(path.join(into, 'pkg'))).toEqual(['wanted.so']);
    expect(await readFile(path.join(into, 'pkg/wanted.so'), 'utf8')).toBe('pkg/wanted.so'.repeat(1000));
  });

  test.each([
    ['a hash that differs', { 'pkg/wanted.so': 'sha256=AAAA' }, undefined, 'the hash of pkg/wanted.so differs'],
    ['none of the expected files', {}, ['pkg/other.py'], 'it holds none of the expected files'],
    ['a name outside', {}, ['../wanted.so'], '../wanted.so would leave the target folder'],
  ])('refuses %s', async (_case, record, names, reason) => {
    const into = await mkdtemp(path.join(folder, 'into-'));
    const { code, stderr } = await unpack(await makeWheel(record, names), into, '.*wanted\\.so');
    expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
  });
});

describe('the lock', () => {
  const lockFile = () => path.join(folder, `${randomUUID()}.lock`);
  const never = () => expect.unreachable('nobody holds this lock');

  test('lets one in at a time, and tells who waits for whom', async () => {
    const file = lockFile();
    const events: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = withLock(file, never, async () => {
      events.push('first in');
      await held;
      events.push('first out');
    });
    const owner = new Promise<string>((resolve) => {
      void withLock(file, resolve, async () => events.push('second in')).then(() => events.push('second out'));
    });
    expect(await owner).toBe(String(process.pid));
    release();
    await first;
    await expect.poll(() => events).toEqual(['first in', 'first out', 'second in', 'second out']);
    expect((await readdir(folder)).filter((name) => name.startsWith(path.basename(file)))).toEqual([]);
  });

  test('is released when the work fails', async () => {
    const file = lockFile();
    await expect(withLock(file, never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(file, never, async () => 'in')).toBe('in');
  });

  test('of a dead process is taken over at once', async () => {
    const file = lockFile();
    const dead = await new Promise<number>((resolve) => {
      const child = execFile(process.execPath, ['-e', '']);
      child.once('exit', () => resolve(child.pid!));
    });
    await writeFile(file, JSON.stringify({ pid: dead, host: hostname(), id: 'x' }));
    expect(await withLock(file, never, async () => 'in')).toBe('in');
  });

  test('of another machine, or half written, is taken over once nobody touches it', async () => {
    for (const content of [JSON.stringify({ pid: 1, host: 'elsewhere', id: 'x' }), '{"pid":']) {
      const file = lockFile();
      await writeFile(file, content);
      const waited = new Promise<string>((resolve) => {
        void withLock(file, resolve, async () => {});
      });
      expect(['1', 'unknown']).toContain(await waited); // fresh: respected
      const longAgo = new Date(Date.now() - 60_000);
      await utimes(file, longAgo, longAgo);
      await expect.poll(async () => (await readdir(folder)).includes(path.basename(file))).toBe(false);
    }
  });
});
