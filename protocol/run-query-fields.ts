/** The fields of a study's runs: what its table can show, sort and group by, and what the query language can ask for. */
import { ENSEMBLES } from './distillation-method.ts';
import { FACTOR_NAMES, FACTOR_WORDS, type FactorName } from './factor-levels.ts';
import { bestOf, defaultSummary, type MetricSummaryName, splitMetricField, summariesOf } from './run-query-metrics.ts';
import { FAILURE_CODES, RUN_ROLES, RUN_STATUSES } from './statuses.ts';

/** Durations and dates are milliseconds. A choice is a text of few known values. */
export type RunFieldKind = 'number' | 'text' | 'choice' | 'list' | 'boolean' | 'duration' | 'date';
export type RunFieldGroup = 'run' | 'factor' | 'config' | 'metric';

export interface RunField {
  /** As queries and addresses write it. */
  name: string;
  kind: RunFieldKind;
  group: RunFieldGroup;
  /** Heading of its column. */
  words: string;
  /** Of a choice: all that it can be. Of a text or list: some that it is, to be offered. */
  values?: readonly string[];
  /** Of metric fields only. */
  metric?: { name: string; summary: MetricSummaryName };
}

/** Three of them are wishes on a status, and shown in its place. */
export const SHOWN_STATUSES = [...RUN_STATUSES, 'paused', 'pausing', 'cancelling'] as const;

const attribute = (name: string, kind: RunFieldKind, words: string, values?: readonly string[]): RunField => ({
  ...{ name, kind, words, group: 'run' },
  ...(values && { values }),
});

/** What every run has, in the order in which it is offered. */
export const RUN_ATTRIBUTES: readonly RunField[] = [
  attribute('status', 'choice', 'Status', SHOWN_STATUSES),
  attribute('variant', 'text', 'Variant'),
  attribute('seed', 'number', 'Seed'),
  attribute('progress', 'number', 'Progress'),
  attribute('top1', 'number', 'Best top-1'),
  attribute('bestEpoch', 'number', 'Best epoch'),
  attribute('lastTop1', 'number', 'Last top-1'),
  attribute('epoch', 'number', 'Epoch'),
  attribute('epochs', 'number', 'Epochs'),
  attribute('host', 'text', 'Host'),
  attribute('duration', 'duration', 'Duration'),
  attribute('created', 'date', 'Created'),
  attribute('started', 'date', 'Started'),
  attribute('finished', 'date', 'Finished'),
  attribute('role', 'choice', 'Role', RUN_ROLES),
  attribute('network', 'text', 'Network'),
  attribute('dataset', 'text', 'Dataset'),
  attribute('parameters', 'number', 'Parameters'),
  attribute('steps', 'number', 'Steps'),
  attribute('totalSteps', 'number', 'Steps in all'),
  attribute('priority', 'number', 'Priority'),
  attribute('attempt', 'number', 'Attempt'),
  attribute('failure', 'choice', 'Failure', FAILURE_CODES),
  attribute('failureMessage', 'text', 'Failure message'),
  attribute('labels', 'list', 'Required labels'),
  attribute('pausedBy', 'text', 'Paused by'),
  attribute('id', 'text', 'Run id'),
];

const FACTOR_KINDS: Record<FactorName, RunFieldKind> = {
  teachers: 'list',
  discriminator: 'choice',
  inputSize: 'number',
  teacherInputSize: 'number',
  ensemble: 'choice',
  temperature: 'number',
  hardLabelWeight: 'number',
  mixing: 'text',
  ema: 'text',
};
const FACTOR_VALUES: Partial<Record<FactorName, readonly string[]>> = {
  discriminator: ['off', 'on', 'reversed', 'detached'],
  ensemble: ENSEMBLES,
};
export const RUN_FACTORS: readonly RunField[] = FACTOR_NAMES.map((name) => ({
  ...{ name, kind: FACTOR_KINDS[name], group: 'factor' as const, words: FACTOR_WORDS[name] },
  ...(FACTOR_VALUES[name] && { values: FACTOR_VALUES[name] }),
}));

/** What a study's runs have beside that: the fields of their configs, their metrics, and texts that occur. */
export interface RunSchema {
  /** Another one when there are other runs, fields or metrics. */
  version: string;
  runs: number;
  /** `config.batchSize`, `config.optimizer.learningRate`: by name. */
  config: { name: string; kind: RunFieldKind }[];
  /** Factors of which the study has several levels. */
  varied: FactorName[];
  /** By name. */
  metrics: string[];
  /** By field, at most MAX_OFFERED_VALUES each. */
  values: Record<string, string[]>;
  /** Attributes that whoever asks is not shown. */
  hidden: string[];
}
/** What visitors of a share link are not shown: names of people and hosts, and texts that can hold any of them. */
export const HIDDEN_FROM_VISITORS: readonly string[] = ['host', 'labels', 'pausedBy', 'failureMessage'];
export const MAX_OFFERED_VALUES = 40;
export const NO_RUNS: RunSchema = { version: '', runs: 0, config: [], varied: [], metrics: [], values: {}, hidden: [] };

export const SUMMARY_WORDS: Record<MetricSummaryName, string> = {
  best: 'best',
  bestEpoch: 'epoch of best',
  last: 'last',
  min: 'min',
  max: 'max',
  lastEpoch: 'epoch of last',
  lastStep: 'step of last',
  minEpoch: 'epoch of min',
  minStep: 'step of min',
  maxEpoch: 'epoch of max',
  maxStep: 'step of max',
  points: 'points',
};

export class RunFields {
  readonly schema: RunSchema;
  private readonly fixed: ReadonlyMap<string, RunField>;
  private readonly metrics: ReadonlySet<string>;

  constructor(schema: RunSchema) {
    this.schema = schema;
    const config = schema.config.map(
      ({ name, kind }): RunField => ({ name, kind, group: 'config', words: name.slice('config.'.length) }),
    );
    const attributes = RUN_ATTRIBUTES.filter(({ name }) => !schema.hidden.includes(name));
    const all = [...attributes, ...RUN_FACTORS, ...config].map((field): [string, RunField] => {
      const values = field.values ?? schema.values[field.name];
      return [field.name, values ? { ...field, values } : field];
    });
    this.fixed = new Map(all);
    this.metrics = new Set(schema.metrics);
  }

  /** Fields of metrics are made when they are asked for: a run may have thousands of metrics. */
  get(name: string): RunField | undefined {
    const fixed = this.fixed.get(name);
    if (fixed) return fixed;
    const split = splitMetricField(name);
    if (split && this.metrics.has(split.metric)) return this.metricField(name, split.metric, split.summary);
    return this.metrics.has(name) ? this.metricField(name, name, defaultSummary(name)) : undefined;
  }

  /** Attributes, factors and config fields, without metrics. */
  withoutMetrics(): RunField[] {
    return [...this.fixed.values()];
  }

  /** One metric's fields. Its best values come first where some value is best. */
  fieldsOf(metric: string): RunField[] {
    return summariesOf(metric).map((summary) => this.metricField(`${metric}.${summary}`, metric, summary));
  }

  private metricField(name: string, metric: string, summary: MetricSummaryName): RunField {
    return {
      name,
      kind: 'number',
      group: 'metric',
      words: `${metric} ${SUMMARY_WORDS[summary]}`,
      metric: { name: metric, summary },
    };
  }
}

/** The stored summary behind one that depends on which values are good. */
export function storedSummary(
  metric: string,
  summary: MetricSummaryName,
): Exclude<MetricSummaryName, 'best' | 'bestEpoch'> {
  const best = bestOf(metric);
  if (summary === 'best') return best ?? 'last';
  if (summary === 'bestEpoch') return best === null ? 'lastEpoch' : `${best}Epoch`;
  return summary;
}
