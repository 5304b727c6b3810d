'use client';
import { PRECISIONS } from '@mealtable/protocol/run-config';
import { Field } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Panel } from '../../ui/panel';
import { Select } from '../../ui/select';
import { useStudyForm } from './form-context';
import { OptimizerFields } from './optimizer-fields';
import { problemAt } from './problems';

const PRECISION_OPTIONS = PRECISIONS.map((name) => ({ value: name, label: name }));

export function TrainingSection() {
  const { draft, update, shown, existing } = useStudyForm();
  const isFixed = existing !== null;
  return (
    <Panel title="Training" hint="The same for every variant, and for the student alone.">
      <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Field label="Epochs" path="epochs" error={problemAt(shown, 'epochs')}>
          {(control) => (
            <NumberInput
              {...control}
              disabled={isFixed}
              value={draft.epochs}
              onChange={(event) => update({ epochs: event.target.value })}
            />
          )}
        </Field>
        <Field label="Batch size" path="batchSize" error={problemAt(shown, 'batchSize')}>
          {(control) => (
            <NumberInput
              {...control}
              disabled={isFixed}
              value={draft.batchSize}
              onChange={(event) => update({ batchSize: event.target.value })}
            />
          )}
        </Field>
        <OptimizerFields
          path="optimizer"
          value={draft.optimizer}
          problems={shown}
          disabled={isFixed}
          moreSummary={[
            ...(draft.accumulation === '1' ? [] : [`${draft.accumulation} batches to an update`]),
            ...(draft.labelSmoothing === '0' ? [] : [`label smoothing ${draft.labelSmoothing}`]),
            ...(draft.precision === 'float32' ? [] : [draft.precision]),
          ]}
          moreAt={['accumulation', 'labelSmoothing', 'precision']}
          onChange={(optimizer) => update({ optimizer })}
        >
          <Field
            label="Batches to an update"
            path="accumulation"
            error={problemAt(shown, 'accumulation')}
            hint="Gradients of several batches are added up: a large batch in little memory."
          >
            {(control) => (
              <NumberInput
                {...control}
                disabled={isFixed}
                value={draft.accumulation}
                onChange={(event) => update({ accumulation: event.target.value })}
              />
            )}
          </Field>
          <Field
            label="Label smoothing"
            path="labelSmoothing"
            error={problemAt(shown, 'labelSmoothing')}
            hint="Share of a hard label that goes to all classes alike. MEAL V2 has 0."
          >
            {(control) => (
              <NumberInput
                {...control}
                disabled={isFixed}
                value={draft.labelSmoothing}
                onChange={(event) => update({ labelSmoothing: event.target.value })}
              />
            )}
          </Field>
          <Field
            label="Precision"
            path="precision"
            error={problemAt(shown, 'precision')}
            hint="CPUs compute in float32 whatever is chosen; on GPUs bfloat16 is recommended."
          >
            {(control) => (
              <Select
                {...control}
                disabled={isFixed}
                value={draft.precision}
                options={PRECISION_OPTIONS}
                onChange={(precision) => update({ precision })}
              />
            )}
          </Field>
        </OptimizerFields>
      </div>
    </Panel>
  );
}
