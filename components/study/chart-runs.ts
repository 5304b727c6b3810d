/** A study's runs and factors as its charts know them. */
import { FACTOR_NAMES, FACTOR_WORDS, levelWords } from '@mealtable/protocol/factor-levels';
import { isEnded } from '@mealtable/protocol/statuses';
import type { RunSummaryView, Top1Row } from '@mealtable/protocol/views';
import type { ChartFactor, ChartRun } from '../chart/chart-groups.ts';
import { shortLabel } from './teacher-names.ts';

type Row = Pick<Top1Row, 'variantId' | 'label' | 'levels'>;

const levelsOf = ({ label, levels }: Row): ChartRun['levels'] =>
  levels && Object.fromEntries(FACTOR_NAMES.map((name) => [name, levelWords({ label, levels }, name)]));

/** Factors with at least two levels, which are in the order of the table. */
export function chartFactors(rows: readonly Row[]): ChartFactor[] {
  const all = rows.flatMap((row) => levelsOf(row) ?? []);
  return FACTOR_NAMES.flatMap((name) => {
    const levels = [...new Set(all.flatMap((of) => of[name] ?? []))];
    return levels.length < 2 ? [] : { name, title: FACTOR_WORDS[name], levels };
  });
}

/** Runs that have started, in the order of the table: a variant's place there is its colour. */
export function chartRuns(
  rows: readonly Row[],
  runs: readonly Pick<RunSummaryView, 'id' | 'variantId' | 'seed' | 'status' | 'startedAt'>[],
): ChartRun[] {
  return rows.flatMap((row, color) => {
    const levels = levelsOf(row);
    const label = shortLabel(row);
    return runs
      .filter((run) => run.variantId === row.variantId && run.startedAt !== null)
      .sort((a, b) => a.seed - b.seed)
      .map((run) => ({
        ...{ id: run.id, seed: run.seed, variantId: row.variantId, variantLabel: label, levels, color },
        label: `${label} · seed ${run.seed}`,
        endedEarly: run.status === 'failed' || run.status === 'cancelled',
        isLive: !isEnded(run.status),
      }));
  });
}
