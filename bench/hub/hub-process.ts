/** The hub under measurement: bundled from the working tree, a process of its own with its own Postgres. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { makeDataDir, removeDataDir } from '../../test/support/hub-process.ts';
import { listenTo } from './child.ts';
import type { HubAddress, HubUsage } from './hub-main.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface MeasuredHub extends HubAddress {
  url: string;
  pid: number;
  /** Goes with the hub. */
  dataDir: string;
  /** Of Postgres's first process. */
  postgresPid: number;
  /** Since the last call. */
  usage(): Promise<HubUsage>;
  /** Everything that it printed. */
  output(): string;
  /** Ends it in good order and removes what it had. */
  close(): Promise<void>;
}

export async function startMeasuredHub(): Promise<MeasuredHub> {
  // Inside the project, where packages are found.
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
  const outdir = mkdtempSync(path.join(ROOT, '.cache', 'bench-hub-'));
  const dataDir = makeDataDir();
  let child: ChildProcess | null = null;
  const remove = () => {
    child?.kill('SIGKILL');
    removeDataDir(dataDir);
    rmSync(outdir, { recursive: true, force: true });
  };
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: { hub: 'bench/hub/hub-main.ts' },
      outdir,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      packages: 'external',
      sourcemap: 'inline',
      alias: { '@mealtable/protocol': path.join(ROOT, 'protocol'), '@mealtable/trainer': path.join(ROOT, 'trainer') },
      logLevel: 'error',
    });
    child = spawn(process.execPath, [...hubFlags(), path.join(outdir, 'hub.js')], {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        PORT: '0',
        MEALTABLE_DATA: dataDir,
        MEALTABLE_NO_AGENT: '1',
        DATABASE_URL: '',
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
  } catch (error) {
    remove();
    throw error;
  }
  const hub = child;
  const { ended, nextMessage, output } = listenTo(hub);
  const address = await nextMessage<HubAddress>().catch((error) => {
    remove();
    throw error;
  });
  const pidFile = path.join(dataDir, 'postgres', 'data', 'postmaster.pid');
  return {
    ...address,
    url: `http://127.0.0.1:${address.port}`,
    pid: hub.pid!,
    dataDir,
    postgresPid: Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0]),
    usage() {
      hub.send('usage');
      return nextMessage<HubUsage>();
    },
    output,
    async close() {
      hub.kill('SIGTERM');
      await ended;
      remove();
    },
  };
}

/** Flags of Node for the hub alone, such as `--cpu-prof`. */
const hubFlags = (): string[] => process.env.BENCH_HUB_FLAGS?.split(' ') ?? [];
