/**
 * A large checkpoint over a link that is cut at random moments: agent and hub in processes of their own, a proxy between.
 * Run: `npm run bench:uploads -- [gigabytes] [cuts] [seed]` (5, 20, 1); it needs twice the size on the disk for a while.
 * The last line of the output is JSON.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { UPLOAD_PART_BYTES } from '@mealtable/protocol/tunables';
import { openDatabase } from '../server/db.ts';
import { startCuttingProxy } from '../test/checkpoints/support/cutting-proxy.ts';
import { makeRandom } from '../test/support/random.ts';
import { BlobCache } from '../trainer/agent/blob-cache.ts';
import { BlobClient } from '../trainer/agent/blob-client.ts';
import { agentLimits } from '../trainer/agent/limits.ts';
import { type MeasuredHub, startMeasuredHub } from './hub/hub-process.ts';

interface Task {
  hub: string;
  token: string;
  dir: string;
  files: { path: string; sha256: string; sizeBytes: number }[];
}

/** Of a process: the most memory that it has had since the last reset, in bytes. */
const peakRss = (pid: number | 'self') =>
  Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+) kB/)?.[1] ?? Number.NaN) * 1024;
const resetPeak = (pid: number | 'self') => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** The agent's side: tries until all files are stored, as an attempt does. The first one warms it up. */
async function runAgent({ hub, token, dir, files }: Task): Promise<void> {
  const cache = new BlobCache(path.join(dir, 'blobs'), 1e12);
  const client = new BlobClient({ hub, token, cache, limits: agentLimits, log: console.error });
  const never = new AbortController().signal;
  let tries = 0;
  let before = 0;
  for (const [i, file] of files.entries()) {
    if (i === files.length - 1) {
      global.gc?.();
      resetPeak('self');
      before = peakRss('self');
      process.send?.('ready');
      await once(process, 'message');
    }
    for (tries = 1; ; tries++) {
      const result = await client.upload(file.path, file, never, false);
      if (result.kind === 'stored') break;
      if (result.kind !== 'unreachable') throw new Error(result.message);
    }
  }
  process.send?.({ tries, rssGrowth: peakRss('self') - before });
}

/** One random block after another, each with its number at its start. */
async function makeFile(file: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(file, 'w');
  const block = randomBytes(1 << 24);
  for (let done = 0; done < sizeBytes; ) {
    block.writeDoubleLE(done);
    const chunk = block.subarray(0, sizeBytes - done);
    await handle.write(chunk);
    hash.update(chunk);
    done += chunk.length;
  }
  await handle.close();
  return hash.digest('hex');
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A hub keeps agent tokens hashed; this puts one of our own there. */
async function addAgentToken(databaseUrl: string): Promise<string> {
  const token = `mt_agent_${randomBytes(32).toString('base64url')}`;
  const { pool, close } = openDatabase(databaseUrl);
  await pool.query(`INSERT INTO tokens (id, kind, label, hash, hint) VALUES ($1, 'agent', 'bench', $2, 'mt_agent_')`, [
    `tok_${'0'.repeat(22)}`,
    createHash('sha256').update(token).digest('hex'),
  ]);
  await close();
  return token;
}

async function main(gigabytes: number, cuts: number, seed: number): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'mealtable-bench-uploads-'));
  let hub: MeasuredHub | null = null;
  let agent: ChildProcess | null = null;
  try {
    hub = await startMeasuredHub();
    const sizeBytes = Math.round(gigabytes * 1e9);
    const [small, large] = [path.join(dir, 'small'), path.join(dir, 'large')];
    const files = [
      { path: small, sha256: await makeFile(small, 3 * UPLOAD_PART_BYTES), sizeBytes: 3 * UPLOAD_PART_BYTES },
      { path: large, sha256: await makeFile(large, sizeBytes), sizeBytes },
    ];
    const random = makeRandom(seed);
    const warm = files[0]!.sizeBytes;
    const cutAt = Array.from({ length: cuts }, () => warm + random() * sizeBytes).sort((a, b) => a - b);
    const proxy = await startCuttingProxy(hub.url, cutAt);
    const child = fork(import.meta.filename, ['agent'], { execArgv: ['--expose-gc', '--import', 'tsx'] });
    agent = child;
    const agentEnd = once(child, 'exit');
    const hear = () =>
      Promise.race([
        once(child, 'message'),
        agentEnd.then(([code]) => Promise.reject(new Error(`The agent ended: ${code}`))),
      ]);
    const task: Task = { hub: proxy.url, token: await addAgentToken(hub.databaseUrl), dir, files };
    child.send(task);
    await hear();
    resetPeak(hub.pid);
    const hubBefore = peakRss(hub.pid);
    const sentBefore = proxy.sentBytes;
    const begun = performance.now();
    child.send('go');
    const [{ tries, rssGrowth }] = (await hear()) as [{ tries: number; rssGrowth: number }];
    const seconds = (performance.now() - begun) / 1000;
    const hubGrowth = peakRss(hub.pid) - hubBefore;
    const sha256 = files[1]!.sha256;
    const stored = path.join(hub.dataDir, 'blobs', sha256.slice(0, 2), sha256);
    const hashOk = (await hashOf(stored)) === sha256;
    await agentEnd;
    await proxy.close();
    const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
    const resent = proxy.resentBytes.map((bytes) => bytes / UPLOAD_PART_BYTES);
    console.log(
      JSON.stringify({
        bench: 'uploads',
        sizeMB: megabytes(sizeBytes),
        partMB: megabytes(UPLOAD_PART_BYTES),
        seed,
        cuts: proxy.cuts,
        tries,
        partsResent: Number(resent.reduce((sum, parts) => sum + parts, 0).toFixed(2)),
        partsResentPerCutMax: Number(Math.max(0, ...resent).toFixed(2)),
        sentMB: megabytes(proxy.sentBytes - sentBefore),
        seconds: Number(seconds.toFixed(1)),
        agentRssGrowthMB: megabytes(rssGrowth),
        hubRssGrowthMB: megabytes(hubGrowth),
        hashOk,
      }),
    );
  } finally {
    agent?.kill();
    await hub?.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'agent') {
  const [task] = (await once(process, 'message')) as [Task];
  await runAgent(task);
} else {
  const [gigabytes = 5, cuts = 20, seed = 1] = process.argv.slice(2).map(Number);
  await main(gigabytes, cuts, seed);
}
