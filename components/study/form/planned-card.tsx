'use client';
import { NETWORK_NAMES } from '@mealtable/protocol/networks';
import { Trash2 } from 'lucide-react';
import { IconButton } from '../../ui/button';
import { Field, FieldError } from '../../ui/field';
import { Input, NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import type { PlannedDraft } from './draft';
import { useStudyForm } from './form-context';
import { OptimizerFields } from './optimizer-fields';
import { changePlanned, removePlanned } from './planned-edits';
import { problemAt } from './problems';

const NETWORK_OPTIONS = NETWORK_NAMES.map((name) => ({ value: name, label: name }));
const NUMBERS = [
  ['inputSize', 'Input size'],
  ['epochs', 'Epochs'],
  ['batchSize', 'Batch size'],
  ['seed', 'Seed'],
] as const satisfies readonly (readonly [keyof PlannedDraft, string])[];

export function PlannedCard({ planned, index, isFixed }: { planned: PlannedDraft; index: number; isFixed: boolean }) {
  const { update, shown } = useStudyForm();
  const path = `planned.${index}`;
  const change = (part: Partial<PlannedDraft>) => update((draft) => changePlanned(draft, planned.id, part));
  return (
    <li className="relative rounded-lg border bg-sunken/50 p-3" data-path={path}>
      <div className="grid grid-cols-2 gap-3 pr-9 sm:grid-cols-4">
        <Field label="Name" path={`${path}.key`} error={problemAt(shown, `${path}.key`)}>
          {(control) => (
            <Input
              {...control}
              disabled={isFixed}
              value={planned.key}
              onChange={(event) => change({ key: event.target.value })}
            />
          )}
        </Field>
        <Field label="Network" path={`${path}.network`} error={problemAt(shown, `${path}.network`)}>
          {(control) => (
            <Select
              {...control}
              disabled={isFixed}
              value={planned.network}
              options={NETWORK_OPTIONS}
              onChange={(network) => change({ network })}
            />
          )}
        </Field>
        {NUMBERS.map(([field, label]) => (
          <Field key={field} label={label} path={`${path}.${field}`} error={problemAt(shown, `${path}.${field}`)}>
            {(control) => (
              <NumberInput
                {...control}
                disabled={isFixed}
                value={planned[field]}
                onChange={(event) => change({ [field]: event.target.value })}
              />
            )}
          </Field>
        ))}
        <OptimizerFields
          path={`${path}.optimizer`}
          value={planned.optimizer}
          problems={shown}
          disabled={isFixed}
          onChange={(optimizer) => change({ optimizer })}
        />
      </div>
      {!isFixed && (
        <IconButton
          label={`Remove ${planned.key || 'this network'}`}
          size="sm"
          className="absolute top-2 right-2"
          onClick={() => update((draft) => removePlanned(draft, planned.id))}
        >
          <Trash2 aria-hidden />
        </IconButton>
      )}
      <FieldError message={problemAt(shown, path)} />
    </li>
  );
}
