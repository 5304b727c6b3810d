/** Datasets as the hosts report them, and what the whole installation makes of them. */
import { DatasetReport } from '@mealtable/protocol/agent-messages';
import { UNREACHABLE_AFTER_MS } from '@mealtable/protocol/tunables';
import { canTrainOn } from '@mealtable/protocol/validation-only';
import type { DatasetOption } from '@mealtable/protocol/views';
import { z } from 'zod';
import type { Queryable } from '../runs/summary.ts';
import { IS_OF_JOB } from './host-state.ts';

export interface HostDatasets {
  hostName: string;
  online: boolean;
  datasets: DatasetReport[];
}

const isUsable = (dataset: DatasetReport) => dataset.problems.length === 0;

/** Class counts of all that the host can at least evaluate on, by name. */
export async function usableClassCounts(db: Queryable, hostId: string): Promise<Map<string, number>> {
  const { rows } = await db.query<{ datasets: unknown }>(
    `SELECT report->'datasets' AS datasets FROM hosts WHERE id = $1`,
    [hostId],
  );
  const usable = rows.flatMap((row) => z.array(DatasetReport).parse(row.datasets).filter(isUsable));
  return new Map(usable.map((d) => [d.name, d.classNames.length]));
}

/** Of a cluster the host of its latest job stands for all. */
async function loadHostDatasets(db: Queryable): Promise<HostDatasets[]> {
  const { rows } = await db.query<{ name: string; online: boolean; datasets: unknown }>(
    `SELECT name, report->'datasets' AS datasets,
            detached_at IS NULL AND last_seen_at > now() - $1 * interval '1 millisecond' AS online
     FROM hosts h
     WHERE NOT ${IS_OF_JOB}
       OR h.id = (SELECT o.id FROM hosts o WHERE o.launcher_id = h.launcher_id ORDER BY o.last_seen_at DESC LIMIT 1)
     ORDER BY name, id`,
    [UNREACHABLE_AFTER_MS],
  );
  return rows.map(({ name, online, datasets }) => ({
    hostName: name,
    online,
    datasets: z.array(DatasetReport).parse(datasets),
  }));
}

/** Every dataset of every host, once per name. */
export async function loadDatasetOptions(db: Queryable): Promise<DatasetOption[]> {
  return mergeDatasets(await loadHostDatasets(db));
}

/** Class count by dataset name, of every dataset that some host can read. */
export async function loadClassCounts(db: Queryable): Promise<Map<string, number>> {
  const options = await loadDatasetOptions(db);
  return new Map(options.filter((o) => o.classNames.length > 0).map((o) => [o.name, o.classNames.length]));
}

/**
 * A dataset is usable when one host can use it; only those hosts are then named. Hosts that are away count only where
 * no host that is here has the dataset; the same goes for hosts with validation images alone, as against those that can train on
 * it. The same name with other classes is a problem: results would not compare.
 */
export function mergeDatasets(hosts: readonly HostDatasets[]): DatasetOption[] {
  const names = [...new Set(hosts.flatMap((h) => h.datasets.map((d) => d.name)))].sort();
  return names.map((name) => {
    const all = hosts.flatMap(({ hostName, online, datasets }) =>
      datasets.filter((d) => d.name === name).map((report) => ({ hostName, online, report })),
    );
    const usable = all.filter((d) => isUsable(d.report));
    const here = usable.filter((d) => d.online);
    const trains = (d: (typeof all)[number]) => canTrainOn(d.report);
    const candidates =
      [here, usable].find((list) => list.some(trains)) ?? [here, usable, all].find((list) => list.length > 0)!;
    const first = candidates.find(trains) ?? candidates[0]!;
    const others = candidates.filter((d) => d !== first);
    const classesOf = (d: typeof first) => JSON.stringify(d.report.classNames);
    const other = others.find((d) => classesOf(d) !== classesOf(first));
    const problems = usable.length === 0 ? all.flatMap((d) => d.report.problems.map((p) => `${d.hostName}: ${p}`)) : [];
    if (usable.length > 0 && other)
      problems.push(
        `${first.hostName} and ${other.hostName} have different classes under the name "${name}". Make the folders equal or rename one.`,
      );
    return {
      name,
      classNames: first.report.classNames,
      trainCount: first.report.trainCount,
      valCount: first.report.valCount,
      hostNames: (candidates.some(trains) ? candidates.filter(trains) : candidates).map((d) => d.hostName),
      problems,
    };
  });
}
