/** Every stored metrics record of runs, one after the other, a page at a time. */
import { AppError } from '@mealtable/protocol/errors';
import type { RecordCursor } from '@mealtable/protocol/views';
import type pg from 'pg';
import { loadSeries } from '../read.ts';
import { readRecords, type StoredRecord } from '../read-records.ts';
import { inSnapshot } from '../snapshot.ts';

/** Numbers in memory at a time, about: records of many metrics come in smaller pages. */
const PAGE_VALUES = 100_000;
const MAX_PAGE = 10_000;

export interface ExportedRun {
  id: string;
  study: string;
  variant: string;
  seed: number;
}
export interface ExportedPage {
  run: ExportedRun;
  /** Of the metrics, by the ids in the records. */
  names: ReadonlyMap<number, string>;
  records: StoredRecord[];
}

/** @returns the run, or the runs of the study in the order of its table @throws {AppError} not_found */
export async function findExportedRuns(
  pool: pg.Pool,
  of: { runId: string } | { studyId: string },
): Promise<ExportedRun[]> {
  const [column, id] = 'runId' in of ? ['r.id', of.runId] : ['r.study_id', of.studyId];
  const { rows } = await pool.query<ExportedRun>(
    `SELECT r.id, s.name AS study, v.label AS variant, r.seed
     FROM runs r JOIN studies s ON s.id = r.study_id JOIN variants v ON v.id = r.variant_id
     WHERE ${column} = $1 ORDER BY v.position, r.seed`,
    [id],
  );
  if (rows.length === 0) throw new AppError('not_found', `There is no ${'runId' in of ? 'run' : 'study'} ${id}.`);
  return rows;
}

/** In the order in which they were logged. What comes while it reads comes along; what is rewound meanwhile may be missing. */
export async function* readAllRecords(pool: pg.Pool, runs: readonly ExportedRun[]): AsyncGenerator<ExportedPage> {
  for (const run of runs) {
    let limit = 1_000;
    for (let after: RecordCursor | null = null; ; ) {
      const from: RecordCursor | null = after;
      const page: ExportedPage = await inSnapshot(pool, async (db) => ({
        run,
        records: (await readRecords(db, run.id, from, limit)).slice(0, limit),
        names: await loadSeries(db, run.id),
      }));
      const { records } = page;
      if (records.length > 0) yield page;
      if (records.length < limit) break;
      after = records.at(-1)!;
      const values = records.reduce((sum, record) => sum + record.values.length, 0) / records.length;
      limit = Math.max(1, Math.min(MAX_PAGE, Math.floor(PAGE_VALUES / Math.max(1, values))));
    }
  }
}
