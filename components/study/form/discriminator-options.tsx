'use client';
import { DISCRIMINATOR_INPUTS } from '@mealtable/protocol/distillation-method';
import { LabelledCheckbox } from '../../ui/checkbox';
import { Field, FieldGroup } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

const INPUTS = DISCRIMINATOR_INPUTS.map((value) => ({ value, label: value === 'logits' ? 'Logits' : 'Probabilities' }));

/** The discriminator itself, the same in every variant that has one. */
export function DiscriminatorOptionFields() {
  const { draft, update, shown, existing } = useStudyForm();
  const options = draft.discriminatorOptions;
  const path = 'discriminatorOptions';
  const disabled = existing !== null;
  const change = (part: Partial<typeof options>) => update({ discriminatorOptions: { ...options, ...part } });
  return (
    <FieldGroup
      label="The discriminator itself"
      path={path}
      error={problemAt(shown, path)}
      hint="The same in every variant that has one. In MEAL V2’s code it reads logits, learns as fast as the student, and has a ReLU after its last layer too."
    >
      <div className="grid grid-cols-2 items-start gap-3 sm:grid-cols-3">
        <Field label="Reads" path={`${path}.inputs`} error={problemAt(shown, `${path}.inputs`)}>
          {(control) => (
            <Select
              {...control}
              disabled={disabled}
              value={options.inputs}
              options={INPUTS}
              onChange={(inputs) => change({ inputs })}
            />
          )}
        </Field>
        <Field
          label="Learning rate, times the student’s"
          path={`${path}.learningRateFactor`}
          error={problemAt(shown, `${path}.learningRateFactor`)}
        >
          {(control) => (
            <NumberInput
              {...control}
              disabled={disabled}
              value={options.learningRateFactor}
              onChange={(event) => change({ learningRateFactor: event.target.value })}
            />
          )}
        </Field>
        <div className="col-span-full sm:col-span-1 sm:pt-6" data-path={`${path}.finalRelu`}>
          <LabelledCheckbox
            label="ReLU after the last layer"
            disabled={disabled}
            checked={options.finalRelu}
            onChange={(finalRelu) => change({ finalRelu })}
          />
        </div>
      </div>
    </FieldGroup>
  );
}
