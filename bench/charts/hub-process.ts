/** The hub under measurement: a process of its own, with its own Postgres and the built pages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { makeDataDir, removeDataDir } from '../../test/support/hub-process.ts';
import { listenTo } from '../hub/child.ts';
import type { Filling } from './fill-runs.ts';
import type { ChartsHub } from './hub-main.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

export interface MeasuredHub extends ChartsHub {
  /** @returns points stored */
  fill(filling: Omit<Filling, 'hostId'>): Promise<number>;
  close(): Promise<void>;
}

export async function startChartsHub(): Promise<MeasuredHub> {
  if (!existsSync(path.join(ROOT, '.next', 'BUILD_ID')))
    throw new Error('There are no built pages: npm run build first.');
  const dataDir = makeDataDir();
  const env = { NODE_ENV: 'production', PORT: '0', MEALTABLE_DATA: dataDir, MEALTABLE_NO_AGENT: '1', DATABASE_URL: '' };
  const hub: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'bench/charts/hub-main.ts'], {
    cwd: ROOT,
    env: { ...process.env, ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { ended, nextMessage } = listenTo(hub);
  const address = await nextMessage<ChartsHub>().catch((error) => {
    removeDataDir(dataDir);
    throw error;
  });
  return {
    ...address,
    async fill(filling) {
      hub.send({ ...filling, hostId: address.hostId });
      const reply = await nextMessage<{ points: number } | { fault: string }>();
      if ('fault' in reply) throw new Error(reply.fault);
      return reply.points;
    },
    async close() {
      hub.kill('SIGTERM');
      await ended;
      removeDataDir(dataDir);
    },
  };
}
