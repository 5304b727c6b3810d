/**
 * The runs of one study in memory, by columns: what the table's pages are cut from. It is a copy of what Postgres has; `refresh`
 * makes it right again, and is awaited before each answer.
 */
import { AppError } from '@mealtable/protocol/errors';
import { FACTOR_NAMES } from '@mealtable/protocol/factor-levels';
import {
  HIDDEN_FROM_VISITORS,
  MAX_OFFERED_VALUES,
  type RunField,
  type RunFieldKind,
  RunFields,
  type RunSchema,
  storedSummary,
} from '@mealtable/protocol/run-query-fields';
import type { RunCell } from '@mealtable/protocol/run-query-view';
import type { Queryable } from '../../runs/summary.ts';
import { ATTRIBUTE_CELLS, CLOCKED_FIELD } from './attribute-cells.ts';
import { type Column, getCell, makeColumn, setCell } from './columns.ts';
import { type IndexedRun, loadRuns, loadTeacherNames, loadVersions, type TeacherNames } from './load-runs.ts';
import { loadMetric, loadMetricNames, loadRunSummaries } from './load-summaries.ts';
import { MetricColumns } from './metric-columns.ts';

/** Texts of these are offered while somebody types a filter. */
const OFFERED = ['host', 'network', 'dataset', 'variant', 'pausedBy', 'labels'];

export class RunIndex {
  readonly studyId: string;
  readonly runs: IndexedRun[];
  readonly rowOf: ReadonlyMap<string, number>;
  /** Counts changes: what was reckoned from an older one is to be reckoned again. */
  version = 1;
  private readonly teachers: TeacherNames;
  private readonly columns = new Map<string, Column>();
  private readonly metrics: MetricColumns;
  private known: { all: RunFields; forVisitors: RunFields } | null = null;
  private metricNames: string[];
  private haystacks: (string | null)[];

  private constructor(studyId: string, runs: IndexedRun[], teachers: TeacherNames, metricNames: string[]) {
    this.studyId = studyId;
    this.runs = runs;
    this.teachers = teachers;
    this.metricNames = metricNames;
    this.rowOf = new Map(runs.map(({ summary }, row) => [summary.id, row]));
    this.metrics = new MetricColumns(runs.length);
    this.haystacks = new Array<string | null>(runs.length).fill(null);
  }

  /** @throws {AppError} not_found */
  static async load(db: Queryable, studyId: string): Promise<RunIndex> {
    const teachers = await loadTeacherNames(db, studyId);
    if (!teachers) throw new AppError('not_found', `There is no study ${studyId}.`);
    const ids = [...(await loadVersions(db, studyId)).keys()];
    const loaded = new Map<string, IndexedRun>();
    for await (const runs of loadRuns(db, ids, teachers)) for (const run of runs) loaded.set(run.summary.id, run);
    const runs = ids.flatMap((id) => loaded.get(id) ?? []);
    return new RunIndex(studyId, runs, teachers, await loadMetricNames(db, studyId));
  }

  /** Whether the database has these runs in this order still, and which of them have changed. */
  async compare(db: Queryable): Promise<{ isSame: boolean; changed: string[] }> {
    const versions = await loadVersions(db, this.studyId);
    let row = 0;
    const changed: string[] = [];
    for (const [id, version] of versions) {
      const run = this.runs[row++];
      if (run?.summary.id !== id) return { isSame: false, changed };
      if (run.version !== version) changed.push(id);
    }
    return { isSame: row === this.runs.length, changed };
  }

  /** Reads these runs again, with all that is known of their metrics. */
  async reload(db: Queryable, ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => this.rowOf.has(id));
    for await (const runs of loadRuns(db, known, this.teachers)) {
      const chunk = runs.map(({ summary }) => summary.id);
      const loaded = this.metrics.loaded();
      const summaries = loaded.length === 0 ? [] : await loadRunSummaries(db, chunk, loaded);
      const rows = chunk.map((id) => this.rowOf.get(id)!);
      runs.forEach((run, i) => {
        this.runs[rows[i]!] = run;
        this.haystacks[rows[i]!] = null;
      });
      for (const [name, column] of this.columns) {
        const cellOf = this.cellsOf(name);
        for (const row of rows) setCell(column, row, cellOf(this.runs[row]!, 0));
      }
      this.metrics.renew(rows, summaries, this.rowOf);
      this.version++;
    }
  }

  /** A metric's first point makes its name known. */
  async reloadMetricNames(db: Queryable): Promise<void> {
    const names = await loadMetricNames(db, this.studyId);
    if (names.length === this.metricNames.length && names.every((name, i) => name === this.metricNames[i])) return;
    this.metricNames = names;
    this.known = null;
  }

  /** Loads the metrics behind these fields, one after the other. Call before `column`. */
  async prepare(db: Queryable, fields: readonly RunField[]): Promise<void> {
    const wanted = new Set(fields.flatMap((field) => field.metric?.name ?? []));
    const ids = this.runs.map(({ summary }) => summary.id);
    for (const metric of this.metrics.missing(wanted))
      this.metrics.add(metric, await loadMetric(db, ids, metric), this.rowOf, wanted);
  }

  /** @param now for what lasts until now */
  column(field: RunField, now: number): Column {
    if (field.metric)
      return this.metrics.get(field.metric.name, storedSummary(field.metric.name, field.metric.summary));
    if (field.name === CLOCKED_FIELD) return this.build(field, now);
    const known = this.columns.get(field.name);
    if (known) return known;
    const column = this.build(field, now);
    this.columns.set(field.name, column);
    return column;
  }
  cell(field: RunField, row: number, now: number): RunCell {
    return field.name === CLOCKED_FIELD
      ? this.cellsOf(field.name)(this.runs[row]!, now)
      : getCell(this.column(field, now), row);
  }

  /** In small letters, what a word by itself is looked for in. Visitors do not find by what they are not shown. */
  haystack(row: number, isVisitor: boolean): string {
    const { id, variantLabel, network, seed, hostName } = this.runs[row]!.summary;
    const write = (host: string) => `${variantLabel} ${network} seed ${seed} ${host} ${id}`.toLowerCase();
    if (isVisitor) return write('');
    const text = this.haystacks[row] ?? write(hostName ?? '');
    this.haystacks[row] = text;
    return text;
  }

  /** What there is to show and to ask for. */
  fields(isVisitor = false): RunFields {
    this.known ??= this.findFields();
    return isVisitor ? this.known.forVisitors : this.known.all;
  }

  private findFields(): { all: RunFields; forVisitors: RunFields } {
    const config = this.configFields();
    const schema: RunSchema = {
      version: `${this.runs.length}.${config.length}.${this.metricNames.length}`,
      runs: this.runs.length,
      config,
      varied: FACTOR_NAMES.filter((name) => this.build({ name, kind: 'text' }, 0).words.length > 1),
      metrics: this.metricNames,
      values: this.offeredValues(),
      hidden: [],
    };
    const shown = Object.entries(schema.values).filter(([name]) => !HIDDEN_FROM_VISITORS.includes(name));
    const forVisitors = { ...schema, values: Object.fromEntries(shown), hidden: [...HIDDEN_FROM_VISITORS] };
    return { all: new RunFields(schema), forVisitors: new RunFields(forVisitors) };
  }

  private build(field: Pick<RunField, 'name'> & { kind: 'text' }, now: number): Extract<Column, { kind: 'text' }>;
  private build(field: Pick<RunField, 'name' | 'kind'>, now: number): Column;
  private build({ name, kind }: Pick<RunField, 'name' | 'kind'>, now: number): Column {
    const column = makeColumn(kind, this.runs.length);
    const cellOf = this.cellsOf(name);
    this.runs.forEach((run, row) => {
      setCell(column, row, cellOf(run, now));
    });
    return column;
  }

  private cellsOf(name: string): (run: IndexedRun, now: number) => RunCell {
    const attribute = Object.hasOwn(ATTRIBUTE_CELLS, name) ? ATTRIBUTE_CELLS[name] : undefined;
    return attribute ?? ((run) => run.factors.get(name) ?? run.config.get(name) ?? null);
  }

  /** A field of which runs have values of different types is text. */
  private configFields(): { name: string; kind: RunFieldKind }[] {
    const kinds = new Map<string, RunFieldKind>();
    for (const { config } of this.runs)
      for (const [name, cell] of config) {
        const kind = kindOf(cell);
        const before = kinds.get(name);
        if (before === undefined) kinds.set(name, kind);
        else if (before !== kind) kinds.set(name, 'text');
      }
    return [...kinds].map(([name, kind]) => ({ name, kind })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private offeredValues(): Record<string, string[]> {
    const offered: Record<string, string[]> = {};
    for (const name of [...OFFERED, ...FACTOR_NAMES]) {
      const words = new Set<string>();
      const cellOf = this.cellsOf(name);
      for (const run of this.runs) {
        const cell = cellOf(run, 0);
        if (typeof cell === 'string') words.add(cell);
        else if (cell !== null && typeof cell === 'object') for (const entry of cell) words.add(entry);
        if (name === 'teachers') for (const network of run.teacherNetworks) words.add(network);
        if (words.size > MAX_OFFERED_VALUES) break;
      }
      if (words.size > 0) offered[name] = [...words].slice(0, MAX_OFFERED_VALUES);
    }
    return offered;
  }
}

function kindOf(cell: RunCell): RunFieldKind {
  if (typeof cell === 'number' || typeof cell === 'boolean') return typeof cell as 'number' | 'boolean';
  return typeof cell === 'string' ? 'text' : 'list';
}
