/** What a variant has cost: of its runs that succeeded, mean and spread; of all of them, the whole. */
import { meanOf, sampleStdOf } from '@mealtable/protocol/statistics/moments';
import type { RunCostView, Top1Row } from '@mealtable/protocol/views';

export interface Spread {
  mean: number;
  /** Null below two runs. */
  std: number | null;
  n: number;
}
export interface VariantCost {
  /** Per run. */
  hours: Spread | null;
  /** Of all runs and all of their attempts, whatever came of them. */
  total: { hours: number; runs: number; attempts: number; isOpen: boolean };
  parameters: number | null;
  macs: number | null;
  imagesPerS: Spread | null;
}
/** What slots were: the heading of their hours. */
export type SlotKind = 'gpu' | 'cpu' | 'both';
export const HOURS_WORDS: Record<SlotKind, string> = {
  gpu: 'GPU-hours',
  cpu: 'CPU slot-hours',
  both: 'Slot-hours',
};

const MS_PER_HOUR = 3_600_000;

function spreadOf(values: readonly number[]): Spread | null {
  const mean = meanOf(values);
  return mean === null ? null : { mean, std: sampleStdOf(values), n: values.length };
}

/** @param costs by run */
export function costOfVariant(row: Pick<Top1Row, 'values'>, costs: ReadonlyMap<string, RunCostView>): VariantCost {
  const runs = row.values.flatMap(({ runId, status }) => {
    const cost = costs.get(runId);
    return cost ? [{ ...cost, status, hours: (cost.slotMs.gpu + cost.slotMs.cpu) / MS_PER_HOUR }] : [];
  });
  const ended = runs.filter(({ status }) => status === 'succeeded');
  const counted = runs.find(({ macs }) => macs !== null);
  return {
    hours: spreadOf(ended.map(({ hours }) => hours)),
    total: {
      hours: runs.reduce((sum, { hours }) => sum + hours, 0),
      runs: runs.filter(({ attempts }) => attempts > 0).length,
      attempts: runs.reduce((sum, { attempts }) => sum + attempts, 0),
      isOpen: runs.some(({ isOpen }) => isOpen),
    },
    parameters: counted?.parameters ?? null,
    macs: counted?.macs ?? null,
    imagesPerS: spreadOf(ended.flatMap(({ imagesPerS }) => (imagesPerS === null ? [] : [imagesPerS]))),
  };
}

/** GPU while nothing has run: what a study is planned for. */
export function slotKindOf(costs: Iterable<RunCostView>): SlotKind {
  let gpu = false;
  let cpu = false;
  for (const { slotMs } of costs) {
    gpu ||= slotMs.gpu > 0;
    cpu ||= slotMs.cpu > 0;
  }
  return cpu ? (gpu ? 'both' : 'cpu') : 'gpu';
}

/** Hours with as many decimals as their size asks for: "0.021", "1.25", "310.4" */
export const hoursWords = (hours: number): string => hours.toFixed(hours < 0.1 ? 4 : hours < 10 ? 2 : 1);
/** A spread with the decimals of its mean. */
export const hoursSpread = ({ mean, std }: Spread): [mean: string, std: string | null] => {
  const text = hoursWords(mean);
  return [text, std === null ? null : std.toFixed(text.split('.')[1]?.length ?? 0)];
};
export const imagesSpread = ({ mean, std }: Spread): [mean: string, std: string | null] => {
  const decimals = mean < 10 ? 2 : mean < 100 ? 1 : 0;
  return [mean.toFixed(decimals), std === null ? null : std.toFixed(decimals)];
};
/** Millions with three digits: "0.175", "11.2" */
export const millionsWords = (parameters: number): string => {
  const value = parameters / 1e6;
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3);
};
