/** What a chaos test has been through, counted in the database and in what the agents said. */
import { readFileSync } from 'node:fs';
import { STORED_PARTS } from '../support/stored-points.ts';
import type { ChaosHost } from './host.ts';
import type { HubUnderTest } from './hub.ts';

export interface StoredReport {
  /** By status and by outcome. */
  runs: Record<string, number>;
  attempts: Record<string, number>;
  points: number;
  lines: number;
  /** How often a stale attempt came back to a run that another one had, and a new agent found a trainer at work. */
  fenced: number;
  adopted: number;
  /** Messages between agents and hub. */
  repeated: number;
  reordered: number;
}

export async function readStored(hub: HubUnderTest, hosts: readonly ChaosHost[]): Promise<StoredReport> {
  const countBy = async (column: string, table: string) => {
    const rows = await hub.query<{ name: string; count: number }>(
      `SELECT ${column} AS name, count(*)::int AS count FROM ${table} GROUP BY 1 ORDER BY 1`,
    );
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
  };
  const [stored] = await hub.query<{ points: number; lines: number }>(
    `SELECT (SELECT COALESCE(sum(records), 0)::int FROM ${STORED_PARTS}) AS points,
            (SELECT count(*)::int FROM log_lines) AS lines`,
  );
  const said = hosts.map((host) => readFileSync(host.logFile, 'utf8')).join('');
  const sum = (count: (host: ChaosHost) => number) => hosts.reduce((total, host) => total + count(host), 0);
  return {
    runs: await countBy('status', 'runs'),
    attempts: await countBy('outcome', 'run_attempts'),
    ...stored!,
    fenced: said.match(/belongs to another attempt now/g)?.length ?? 0,
    adopted: said.match(/found its trainer at work/g)?.length ?? 0,
    repeated: sum(({ link }) => link.done.repeated),
    reordered: sum(({ link }) => link.done.reordered),
  };
}
