'use client';
import type { FieldProblem } from '@mealtable/protocol/study-design';
import { type ReactNode, useState } from 'react';
import { Disclosure } from '../../ui/disclosure';
import { Field } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import { newOptimizer, type OptimizerDraft } from './optimizer-draft';
import { problemAt } from './problems';

interface OptimizerFieldsProps {
  path: string;
  value: OptimizerDraft;
  onChange: (optimizer: OptimizerDraft) => void;
  problems: readonly FieldProblem[];
  disabled?: boolean;
  /** Further fields behind "More", which are not the optimiser's. */
  children?: ReactNode;
  /** Where those fields' problems are: what has one is never hidden. */
  moreAt?: readonly string[];
  /** What of them is not as usual, in sight while they are hidden. */
  moreSummary?: readonly string[];
}

const SCHEDULES = [
  { value: 'constant', label: 'Constant' },
  { value: 'step', label: 'Steps' },
  { value: 'cosine', label: 'Cosine' },
] as const;

const KINDS = [
  { value: 'sgd', label: 'SGD' },
  { value: 'adamw', label: 'AdamW' },
] as const;
const DECAYED = [
  { value: 'all', label: 'All parameters' },
  { value: 'kernels', label: 'Kernels only' },
] as const;

/** Cells of the grid around: learning rate and schedule, and the rest behind "More". */
export function OptimizerFields({
  path,
  value,
  onChange,
  problems,
  disabled,
  children,
  moreAt = [],
  moreSummary = [],
}: OptimizerFieldsProps) {
  const [isOpen, setOpen] = useState(value.kind !== 'sgd' || value.decayedParameters !== 'all');
  const inside = ['momentum', 'weightDecay', 'schedule.warmupEpochs', 'adamw'].map((field) => `${path}.${field}`);
  const isShown = isOpen || [...inside, ...moreAt].some((at) => problemAt(problems, at, true));
  const number = (field: keyof OptimizerDraft, label: string, at: string, hint?: string) => (
    <Field label={label} path={`${path}.${at}`} error={problemAt(problems, `${path}.${at}`, true)} hint={hint}>
      {(control) => (
        <NumberInput
          {...control}
          disabled={disabled}
          value={value[field]}
          onChange={(event) => onChange({ ...value, [field]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <>
      {number('learningRate', 'Learning rate', 'learningRate')}
      <Field label="Schedule" path={`${path}.schedule.kind`} error={null}>
        {(control) => (
          <Select
            {...control}
            disabled={disabled}
            value={value.schedule}
            options={SCHEDULES}
            onChange={(schedule) => onChange({ ...value, schedule })}
          />
        )}
      </Field>
      {value.schedule === 'step' && (
        <>
          <div className="col-span-2">
            {number('dropAtEpochs', 'Drops at epochs', 'schedule.dropAtEpochs', 'For example 60, 120')}
          </div>
          {number('factor', 'Times', 'schedule.factor', 'Each drop multiplies by this.')}
        </>
      )}
      <div className="col-span-full">
        <Disclosure
          label="More"
          summary={[...differing(value), ...moreSummary].join(' · ')}
          isOpen={isShown}
          onToggle={() => setOpen(!isShown)}
        />
      </div>
      {isShown && (
        <>
          <Field label="Optimiser" path={`${path}.adamw`} error={problemAt(problems, `${path}.adamw`)}>
            {(control) => (
              <Select
                {...control}
                disabled={disabled}
                value={value.kind}
                options={KINDS}
                onChange={(kind) => onChange({ ...value, kind })}
              />
            )}
          </Field>
          {value.kind === 'sgd' ? (
            number('momentum', 'Momentum', 'momentum', 'MEAL V2 has 0.9.')
          ) : (
            <>
              {number('beta1', 'Beta 1', 'adamw.beta1', 'Of the mean gradient.')}
              {number('beta2', 'Beta 2', 'adamw.beta2', 'Of the mean square.')}
              {number('epsilon', 'Epsilon', 'adamw.epsilon')}
            </>
          )}
          {number('weightDecay', 'Weight decay', 'weightDecay', 'MEAL V2 has none.')}
          <Field
            label="Decays"
            path={`${path}.decayedParameters`}
            error={problemAt(problems, `${path}.decayedParameters`)}
          >
            {(control) => (
              <Select
                {...control}
                disabled={disabled}
                value={value.decayedParameters}
                options={DECAYED}
                onChange={(decayedParameters) => onChange({ ...value, decayedParameters })}
              />
            )}
          </Field>
          {value.schedule !== 'constant' &&
            number(
              'warmupEpochs',
              'Warm-up epochs',
              'schedule.warmupEpochs',
              'The learning rate rises evenly at first.',
            )}
          {children}
        </>
      )}
    </>
  );
}

/** What behind "More" is not MEAL V2's own, in words. */
function differing({
  kind,
  momentum,
  weightDecay,
  decayedParameters,
  schedule,
  warmupEpochs,
}: OptimizerDraft): string[] {
  const usual = newOptimizer();
  return [
    kind === 'adamw' ? 'AdamW' : momentum !== usual.momentum && `momentum ${momentum}`,
    weightDecay !== usual.weightDecay && `weight decay ${weightDecay}`,
    decayedParameters === 'kernels' && 'decays kernels only',
    schedule !== 'constant' && warmupEpochs !== usual.warmupEpochs && `${warmupEpochs} warm-up epochs`,
  ].filter((words) => words !== false);
}
