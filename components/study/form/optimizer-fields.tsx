'use client';
import type { FieldProblem } from '@mealtable/protocol/study-design';
import { ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Field } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import type { OptimizerDraft } from './draft';
import { problemAt } from './problems';

interface OptimizerFieldsProps {
  path: string;
  value: OptimizerDraft;
  onChange: (optimizer: OptimizerDraft) => void;
  problems: readonly FieldProblem[];
  disabled?: boolean;
  /** Further fields behind "More", which are not the optimiser's. */
  children?: ReactNode;
}

const SCHEDULES = [
  { value: 'constant', label: 'Constant' },
  { value: 'step', label: 'Steps' },
  { value: 'cosine', label: 'Cosine' },
] as const;

/** Cells of the grid around: learning rate and schedule, and the rest behind "More". */
export function OptimizerFields({ path, value, onChange, problems, disabled, children }: OptimizerFieldsProps) {
  const hidden = ['momentum', 'weightDecay', 'schedule.warmupEpochs'].some((field) =>
    problemAt(problems, `${path}.${field}`),
  );
  const [isOpen, setOpen] = useState(false);
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
        <button
          type="button"
          aria-expanded={isOpen || hidden}
          onClick={() => setOpen(!isOpen)}
          className="inline-flex items-center gap-1 rounded-control text-ink-2 text-xs hover:text-ink"
        >
          <ChevronRight
            aria-hidden
            className={`size-3.5 transition-transform ${isOpen || hidden ? 'rotate-90' : ''}`}
          />
          More
        </button>
      </div>
      {(isOpen || hidden) && (
        <>
          {number('momentum', 'Momentum', 'momentum')}
          {number('weightDecay', 'Weight decay', 'weightDecay')}
          {value.schedule === 'cosine' && number('warmupEpochs', 'Warm-up epochs', 'schedule.warmupEpochs')}
          {children}
        </>
      )}
    </>
  );
}
