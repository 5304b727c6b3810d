'use client';
import { choiceKey, choiceWords } from '@mealtable/protocol/study-choices';
import type { MixingConfig, WeightAverageConfig } from '@mealtable/protocol/training-recipe';
import { Field } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import type { PlannedDraft } from './draft';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

type Recipe = Pick<PlannedDraft, 'mixing' | 'ema' | 'accumulation' | 'labelSmoothing'>;

const MIXINGS: readonly (MixingConfig | null)[] = [
  null,
  { kind: 'cutmix', alpha: 1, probability: 1 },
  { kind: 'mixup', alpha: 0.2, probability: 1 },
];
const AVERAGES: readonly (WeightAverageConfig | null)[] = [
  null,
  { decay: 0.999, warmup: true },
  { decay: 0.9999, warmup: true },
];
const nameOfMixing = (level: MixingConfig | null) => (level === null ? 'None' : choiceWords('mixing', level));
const nameOfAverage = (level: WeightAverageConfig | null) => (level === null ? 'Off' : choiceWords('ema', level));

/** What of a planned network's recipe is not as usual. */
export const plannedRecipeSummary = ({ mixing, ema, accumulation, labelSmoothing }: Recipe): string[] => [
  ...(accumulation === '1' ? [] : [`${accumulation} batches to an update`]),
  ...(labelSmoothing === '0' ? [] : [`label smoothing ${labelSmoothing}`]),
  ...(mixing === null ? [] : [nameOfMixing(mixing)]),
  ...(ema === null ? [] : [nameOfAverage(ema)]),
];

/** Cells of a planned network's grid, behind its "More". */
export function PlannedRecipeFields(props: {
  path: string;
  value: Recipe;
  disabled: boolean;
  onChange: (part: Partial<Recipe>) => void;
}) {
  const { path, value, disabled, onChange } = props;
  const { shown } = useStudyForm();
  const number = (field: 'accumulation' | 'labelSmoothing', label: string) => (
    <Field label={label} path={`${path}.${field}`} error={problemAt(shown, `${path}.${field}`)}>
      {(control) => (
        <NumberInput
          {...control}
          disabled={disabled}
          value={value[field]}
          onChange={(event) => onChange({ [field]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <>
      {number('accumulation', 'Batches to an update')}
      {number('labelSmoothing', 'Label smoothing')}
      <Field label="Mixed images" path={`${path}.mixing`} error={problemAt(shown, `${path}.mixing`, true)}>
        {(control) => {
          const levels = withOwn(MIXINGS, value.mixing, (level) => choiceKey('mixing', level));
          return (
            <Select
              {...control}
              disabled={disabled}
              value={choiceKey('mixing', value.mixing)}
              options={levels.map((level) => ({ value: choiceKey('mixing', level), label: nameOfMixing(level) }))}
              onChange={(key) =>
                onChange({ mixing: levels.find((level) => choiceKey('mixing', level) === key) ?? null })
              }
            />
          );
        }}
      </Field>
      <Field label="Averaged weights" path={`${path}.ema`} error={problemAt(shown, `${path}.ema`, true)}>
        {(control) => {
          const levels = withOwn(AVERAGES, value.ema, (level) => choiceKey('ema', level));
          return (
            <Select
              {...control}
              disabled={disabled}
              value={choiceKey('ema', value.ema)}
              options={levels.map((level) => ({ value: choiceKey('ema', level), label: nameOfAverage(level) }))}
              onChange={(key) => onChange({ ema: levels.find((level) => choiceKey('ema', level) === key) ?? null })}
            />
          );
        }}
      </Field>
    </>
  );
}

/** The usual levels, and the one that a design came with where it is none of them. */
function withOwn<T>(levels: readonly T[], own: T, keyOf: (level: T) => string): readonly T[] {
  return levels.some((level) => keyOf(level) === keyOf(own)) ? levels : [...levels, own];
}
