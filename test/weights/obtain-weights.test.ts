/** Where published weights come from: the folder first, then the cache, then a hub that may be slow, broken or lying. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { obtainWeights, WeightsMissing } from '../../trainer/weights/sources/obtain-weights.ts';
import { COMMIT, WeightsHub } from '../support/weights-hub.ts';

const NAME = 'resnet50.ram_in1k';
const BYTES = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3));
const HALF = 100_000;
const limits = { tries: 3, backoffMs: 5, silenceMs: 5_000 };

let root: string;
let hub: WeightsHub;
let env: Record<string, string>;
let lines: string[];
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'mealtable-weights-'));
  hub = await WeightsHub.start(BYTES);
  lines = [];
  env = {
    HF_HOME: path.join(root, 'hf'),
    HF_ENDPOINT: `${hub.endpoint}/`,
    MEALTABLE_WEIGHTS_DIR: path.join(root, 'own'),
  };
  mkdirSync(env.MEALTABLE_WEIGHTS_DIR!);
});
afterEach(async () => {
  await hub.stop();
  rmSync(root, { recursive: true });
});

const repo = () => path.join(root, 'hf', 'hub', 'models--timm--resnet50.ram_in1k');
const blobs = () => readdirSync(path.join(repo(), 'blobs'));
const obtain = (name = NAME, more: { signal?: AbortSignal; silenceMs?: number; progressMs?: number } = {}) =>
  obtainWeights(name, {
    env,
    log: (line) => lines.push(line),
    signal: more.signal ?? new AbortController().signal,
    limits: { ...limits, silenceMs: more.silenceMs ?? limits.silenceMs },
    progressMs: more.progressMs,
  });
const put = (name: string) => {
  const file = path.join(env.MEALTABLE_WEIGHTS_DIR!, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, 'weights');
  return file;
};
async function expectMissing(fault: RegExp, name = NAME): Promise<void> {
  const obtaining = obtain(name);
  await expect(obtaining).rejects.toThrow(WeightsMissing);
  await expect(obtaining).rejects.toThrow(fault);
}

describe('the folder', () => {
  test('wins over the hub, with safetensors before PyTorch files', async () => {
    for (const name of [`${NAME}.pth`, path.join(NAME, 'model.safetensors'), `${NAME}.safetensors`]) {
      const file = put(name);
      expect(await obtain()).toBe(file);
    }
    expect(hub.asked).toEqual([]);
  });

  test('holds what MEAL V2 released under the name it was released with', async () => {
    await expectMissing(
      /^The weights resnet50\.mealv2_224 cannot be had\. They are on no hub: MEALV2_ResNet50_224\.pth is a download of .*own on this host as resnet50\.mealv2_224\.safetensors \(or .*MEALV2_ResNet50_224\.pth\)/,
      'resnet50.mealv2_224',
    );
    const file = put('MEALV2_ResNet50_224.pth');
    expect(await obtain('resnet50.mealv2_224')).toBe(file);
    expect(hub.asked).toEqual([]);
  });
});

describe('a download', () => {
  test('lies in the cache as huggingface_hub lays it out, and is asked for once', async () => {
    const file = await obtain(NAME, { progressMs: 0 });
    expect(file).toBe(path.join(repo(), 'snapshots', COMMIT, 'model.safetensors'));
    expect(readFileSync(file).equals(BYTES)).toBe(true);
    expect(readlinkSync(file)).toBe(path.join('..', '..', 'blobs', hub.sha256!));
    expect(blobs()).toEqual([hub.sha256]);
    expect(readFileSync(path.join(repo(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
    const url = `${hub.endpoint}/timm/${NAME}/resolve/main/model.safetensors`;
    expect(lines[0]).toBe(`Downloading ${NAME} (0.3 MB) from ${url}.`);
    expect(lines).toContain(`Downloading ${NAME}: 0.3 of 0.3 MB.`);
    const requests = hub.asked.length + hub.sent.length;
    expect(await obtain()).toBe(file);
    expect(hub.asked.length + hub.sent.length).toBe(requests);
  });

  test('shows the token to the hub alone', async () => {
    env.HF_TOKEN = ' hf_secret\n';
    await obtain();
    expect(new Set(hub.asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']));
    expect(hub.sent.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('follows a repository that has moved', async () => {
    hub.onHub = (request, response) => {
      if (!request.url!.includes('ram_in1k')) return 'pass';
      return response.writeHead(307, { location: request.url!.replace('ram_in1k', 'moved') }).end();
    };
    expect(readFileSync(await obtain()).equals(BYTES)).toBe(true);
  });

  test('that breaks off goes on where it was', async () => {
    hub.onDownload = (_, response, n) => {
      if (n > 1) return 'pass';
      response.writeHead(200, { 'content-length': BYTES.length });
      return response.write(BYTES.subarray(0, HALF), () => setTimeout(() => response.destroy(), 50));
    };
    expect(readFileSync(await obtain()).equals(BYTES)).toBe(true);
    expect(hub.sent.map(({ range }) => range)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(lines.join('\n')).toMatch(/broke off .*The next try is in 0\.005 s/);
  });

  test('goes on after a stop, and that even when the hub cannot start in the middle', async () => {
    const stop = new AbortController();
    hub.onDownload = (_, response, n) => {
      if (n === 1) response.writeHead(200).write(BYTES.subarray(0, HALF), () => setTimeout(() => stop.abort(), 50));
      else response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
    };
    await expect(obtain(NAME, { signal: stop.signal })).rejects.toThrow(/abort/);
    expect(blobs()).toEqual([`${hub.sha256}.mealtable.incomplete`]);
    expect(readFileSync(await obtain()).equals(BYTES)).toBe(true);
    expect(hub.sent.map(({ range }) => range)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(blobs()).toEqual([hub.sha256]);
  });

  test('that was left damaged, or longer than the file, is begun again', async () => {
    const part = path.join(repo(), 'blobs', `${hub.sha256}.mealtable.incomplete`);
    for (const left of [Buffer.alloc(HALF, 1), Buffer.alloc(BYTES.length, 1), Buffer.alloc(BYTES.length + 9, 1)]) {
      rmSync(path.join(root, 'hf'), { recursive: true, force: true });
      mkdirSync(path.dirname(part), { recursive: true });
      writeFileSync(part, left);
      expect(readFileSync(await obtain()).equals(BYTES)).toBe(true);
    }
    expect(lines.join('\n')).toContain('does not have its SHA-256: downloading it again');
  });

  test('waits for a hub that is busy, and for one that has fallen silent', async () => {
    hub.onHub = (_, response, n) => (n <= 2 ? response.writeHead(503).end() : 'pass');
    hub.onDownload = (_, response, n) => (n === 1 ? response.writeHead(200).write(BYTES.subarray(0, HALF)) : 'pass');
    expect(readFileSync(await obtain(NAME, { silenceMs: 200 })).equals(BYTES)).toBe(true);
    expect(lines.join('\n')).toMatch(/answered 503.*sent nothing for 0\.2 s/s);
  });

  test('is one for all who want it at once', async () => {
    hub.onDownload = (_, response, n) => {
      if (n > 1) return 'pass';
      return setTimeout(() => response.writeHead(200).end(BYTES), 400);
    };
    const files = await Promise.all([obtain(), obtain(), obtain()]);
    expect(new Set(files).size).toBe(1);
    expect(hub.sent).toHaveLength(1);
    expect(lines.join('\n')).toContain('downloads http');
  });
});

describe('when they cannot be had, the file, the address and the folder are named:', () => {
  const statuses: [number, RegExp][] = [
    [404, /there is no such file/],
    [401, /Set HF_TOKEN to a token/],
    [403, /token in HF_TOKEN may not read it/],
  ];
  test.each(statuses)('a hub that answers %i is asked once', async (status, fault) => {
    hub.onHub = (_, response) => response.writeHead(status).end();
    await expectMissing(fault);
    expect(hub.asked).toHaveLength(1);
    const url = `${hub.endpoint}/timm/${NAME}/resolve/main/model.safetensors`;
    await expectMissing(
      new RegExp(
        `^The weights ${NAME} cannot be had\\. .*${url} answered ${status}: .*Put the file into ${root}/own on`,
      ),
    );
  });

  test('a hub that stays away', async () => {
    hub.onHub = (_, response) => response.writeHead(500).end();
    await expectMissing(/answered 500, 3 times in a row/);
    await hub.stop();
    await expectMissing(/could not be reached \(ECONNREFUSED\), 3 times in a row/);
    hub = await WeightsHub.start(BYTES);
  });

  test('one that sends other bytes than it says', async () => {
    hub.sha256 = 'a'.repeat(64);
    await expectMissing(/has the SHA-256 [0-9a-f]{64} instead of a{64}, twice in a row/);
    expect(blobs()).toEqual([]);
    expect(hub.sent).toHaveLength(2);
  });

  test('one that sends more bytes than it says', async () => {
    hub.onDownload = (_, response) => response.writeHead(200).end(Buffer.concat([BYTES, BYTES]));
    await expectMissing(/twice in a row/);
  });

  test('one that does not say what the file is, or names a place outside of the cache', async () => {
    for (const sha256 of [null, '../../evil', '0'.repeat(40)]) {
      hub.sha256 = sha256;
      await expectMissing(/does not state the file's SHA-256/);
    }
  });

  test('one that leads in a circle', async () => {
    hub.onHub = (request, response) => response.writeHead(302, { location: request.url }).end();
    await expectMissing(/leads from one address to the next without end/);
  });

  test('no network is wanted: then only the cache is looked into', async () => {
    env.HF_HUB_OFFLINE = '1';
    await expectMissing(/HF_HUB_OFFLINE is set, and .*models--timm--resnet50\.ram_in1k does not hold them/);
    // As Python leaves it.
    const file = path.join(repo(), 'snapshots', COMMIT, 'model.safetensors');
    for (const folder of ['blobs', 'refs', path.join('snapshots', COMMIT)])
      mkdirSync(path.join(repo(), folder), { recursive: true });
    writeFileSync(path.join(repo(), 'blobs', 'x'), 'weights');
    symlinkSync('../../blobs/x', file);
    writeFileSync(path.join(repo(), 'refs', 'main'), COMMIT);
    expect(await obtain()).toBe(file);
    expect(hub.asked).toEqual([]);
  });

  test('a cache that cannot be written', async () => {
    env.HF_HOME = path.join(root, 'file');
    writeFileSync(env.HF_HOME, '');
    await expectMissing(/The cache .* cannot be written/);
  });
});
