/** Which runs make a line, and what the line looks like: a run alone, all seeds of a variant, or all runs alike in some factors. */
import type { FactorName } from '@mealtable/protocol/factor-levels';
import type { ChartView } from './view-state.ts';

export interface ChartRun {
  id: string;
  /** With its seed. */
  label: string;
  seed: number;
  variantId: string;
  variantLabel: string;
  /** The variant's place in the table, which is its colour. */
  color: number;
  /** Level of each factor in words; null for teachers and baselines, which have none. */
  levels: Partial<Record<FactorName, string>> | null;
  /** Failed or cancelled: it is in no mean unless its group has no other. */
  endedEarly: boolean;
  /** It may get points. */
  isLive: boolean;
}
export interface ChartFactor {
  name: FactorName;
  title: string;
  /** In words, in the order of the study. */
  levels: readonly string[];
}
export interface LineGroup {
  /** Also in the page's address: short where it can be. */
  key: string;
  label: string;
  runs: readonly ChartRun[];
  color: number;
  dash: number | undefined;
  /** Title of the small chart that it is in; null without facets. */
  facet: string | null;
}

/** Runs that have no level of the factor that facets are made by. */
const WITHOUT_LEVEL = 'Other runs';

type Choice = Pick<ChartView, 'group' | 'color' | 'dash' | 'facet'>;

/**
 * Colour, dash and facet need one level each, so what they are by also tells groups apart; runs without levels go by their variants.
 * @returns in the order in which the runs came
 */
export function groupRuns(runs: readonly ChartRun[], factors: readonly ChartFactor[], choice: Choice): LineGroup[] {
  const known = (name: FactorName | null) => factors.find((factor) => factor.name === name);
  const [color, dash, facet] = [known(choice.color), known(choice.dash), known(choice.facet)];
  const looks = [color, dash, facet].filter((factor) => factor !== undefined);
  const by = Array.isArray(choice.group) ? factors.filter(({ name }) => choice.group.includes(name)) : [];
  const telling = factors.filter((factor) => by.includes(factor) || looks.includes(factor));
  const groups = new Map<string, ChartRun[]>();
  for (const run of runs) {
    const key = keyOf(run, choice.group, telling);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const colorOf = colors(color, choice.group);
  return [...groups].map(([key, members], index) => {
    const [first] = members as [ChartRun];
    const levelAt = (factor: ChartFactor) => factor.levels.indexOf(first.levels?.[factor.name] ?? '');
    return {
      key,
      label: labelOf(first, choice.group, telling),
      runs: members,
      color: colorOf(first, index),
      dash: dash && Math.max(0, levelAt(dash)),
      facet: facet ? (first.levels?.[facet.name] ?? WITHOUT_LEVEL) : null,
    };
  });
}

function keyOf(run: ChartRun, group: ChartView['group'], telling: readonly ChartFactor[]): string {
  if (group === 'runs') return run.id;
  if (group === 'variants' || run.levels === null) return run.variantId;
  return telling.map(({ name }) => run.levels?.[name] ?? '').join(' | ');
}

function labelOf(run: ChartRun, group: ChartView['group'], telling: readonly ChartFactor[]): string {
  if (group === 'runs') return run.label;
  if (group === 'variants' || run.levels === null) return run.variantLabel;
  return telling.map(({ name, title }) => nameLevel(title, run.levels?.[name] ?? '')).join(' · ');
}

/** "Discriminator on", but "teacher a" and "224 px", which say by themselves what they are of. */
const nameLevel = (title: string, level: string): string =>
  level.length <= 4 && !/ px$/.test(level) ? `${title} ${level}` : level;

/** By the factor's levels, those without one after them; by variants as in the table; otherwise as the groups come. */
function colors(factor: ChartFactor | undefined, group: ChartView['group']): (run: ChartRun, index: number) => number {
  if (factor)
    return (run) => {
      const level = factor.levels.indexOf(run.levels?.[factor.name] ?? '');
      return level === -1 ? factor.levels.length + run.color : level;
    };
  return Array.isArray(group) ? (_, index) => index : (run) => run.color;
}

/** @returns facets in the order of the factor's levels, then the one without */
export function facetsOf(
  groups: readonly LineGroup[],
  factors: readonly ChartFactor[],
  facet: FactorName | null,
): (string | null)[] {
  const there = new Set(groups.map((group) => group.facet));
  const levels = factors.find(({ name }) => name === facet)?.levels ?? [];
  return [...levels, WITHOUT_LEVEL, null].filter((name) => there.has(name));
}
