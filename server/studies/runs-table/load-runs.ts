/** The runs of a study as its table's index keeps them: the summary, the config's fields, the levels of the factors. */

import { FACTOR_NAMES } from '@mealtable/protocol/factor-levels';
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import type { RunCell } from '@mealtable/protocol/run-query-view';
import type { Levels, NetworkRef, StudyDesign } from '@mealtable/protocol/study-design';
import { refKey } from '@mealtable/protocol/variant-key';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { loadRunSummaries, type Queryable } from '../../runs/summary.ts';
import { flattenConfig } from './flatten-config.ts';
import { levelCell } from './level-cell.ts';

export interface IndexedRun {
  summary: RunSummaryView;
  /** Changes with every change of the row. */
  version: string;
  dataset: string;
  parameters: number | null;
  /** By the name of the field: `config.batchSize`, `temperature`. */
  config: ReadonlyMap<string, RunCell>;
  factors: ReadonlyMap<string, RunCell>;
  /** Other names of its teachers, beside those that the cell shows. */
  teacherNetworks: readonly string[];
}

/** One round trip parses so many rows: a hub that serves agents must not stand still for longer. */
const CHUNK = 500;

/** The version of each run's row by id, in the order of the table: variant by variant, seed by seed. */
export async function loadVersions(db: Queryable, studyId: string): Promise<Map<string, string>> {
  const { rows } = await db.query<[string, string]>({
    text: `SELECT r.id, r.xmin::text FROM runs r JOIN variants v ON v.id = r.variant_id
           WHERE r.study_id = $1 ORDER BY v.position, r.seed`,
    values: [studyId],
    rowMode: 'array',
  } as never);
  return new Map(rows);
}

/** Networks of teachers by what a design calls them, for those that it plans and those that are runs. */
export type TeacherNames = ReadonlyMap<string, string>;

/** @returns null when there is no such study */
export async function loadTeacherNames(db: Queryable, studyId: string): Promise<TeacherNames | null> {
  const { rows } = await db.query<{ design: Partial<StudyDesign> }>(
    `SELECT design FROM studies WHERE id = $1 AND kind = 'ablation'`,
    [studyId],
  );
  if (!rows[0]) return null;
  const { design } = rows[0];
  const names = new Map((design.planned ?? []).map(({ key, network }): [string, string] => [key, network]));
  const { rows: runs } = await db.query<{ id: string; network: string }>(
    `SELECT DISTINCT r.id, r.network FROM variants v CROSS JOIN LATERAL jsonb_array_elements(v.levels->'teachers') t
     JOIN runs r ON r.id = t->>'runId' WHERE v.study_id = $1`,
    [studyId],
  );
  for (const { id, network } of runs) names.set(id, network);
  return names;
}

/** In no particular order; runs that are gone are left out. */
export async function* loadRuns(
  db: Queryable,
  ids: readonly string[],
  teachers: TeacherNames,
): AsyncGenerator<IndexedRun[]> {
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    // The version is read first: a change in between is then seen as one later.
    const { rows } = await db.query<ExtraRow>(
      `SELECT r.id, r.xmin::text AS version, r.dataset, r.parameter_count, r.config, v.levels, v.input_size
       FROM runs r JOIN variants v ON v.id = r.variant_id WHERE r.id = ANY($1)`,
      [chunk],
    );
    const extras = new Map(rows.map((row) => [row.id, row]));
    const summaries = await loadRunSummaries(db, { runIds: chunk });
    yield summaries.flatMap((summary) => {
      const extra = extras.get(summary.id);
      return extra ? [toIndexed(summary, extra, teachers)] : [];
    });
  }
}

interface ExtraRow {
  id: string;
  version: string;
  dataset: string;
  parameter_count: number | null;
  config: object;
  levels: Levels | null;
  input_size: number;
}

function toIndexed(summary: RunSummaryView, extra: ExtraRow, teachers: TeacherNames): IndexedRun {
  const { levels } = extra;
  const factors = new Map<string, RunCell>();
  if (levels) for (const name of FACTOR_NAMES) factors.set(name, levelCell(levels, name));
  // Teachers and the student alone have a size too, though no level.
  else factors.set('inputSize', extra.input_size);
  return {
    summary,
    version: extra.version,
    dataset: extra.dataset,
    parameters: extra.parameter_count,
    config: flattenConfig(extra.config),
    factors,
    teacherNetworks: levels ? levels.teachers.flatMap((ref) => networkOf(ref, teachers) ?? []) : [],
  };
}

const networkOf = (ref: NetworkRef, teachers: TeacherNames): string | undefined =>
  ref.kind === 'pretrained' ? KNOWN_WEIGHTS.get(ref.weights)?.network : teachers.get(refKey(ref));
