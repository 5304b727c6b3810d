'use client';
import { Trash2 } from 'lucide-react';
import { IconButton } from '../../ui/button';
import { Field, FieldError } from '../../ui/field';
import { Input, NumberInput } from '../../ui/input';
import { type PlannedDraft, toSize } from './draft';
import { useStudyForm } from './form-context';
import { describeCost } from './network-options';
import { NetworkPicker } from './network-picker';
import { OptimizerFields } from './optimizer-fields';
import { changePlanned, removePlanned } from './planned-edits';
import { PlannedRecipeFields, plannedRecipeSummary } from './planned-recipe-fields';
import { problemAt } from './problems';
import { HeadChoice, RANDOM_START, StartPicker } from './start-picker';
import { keepStart, startFrom } from './teacher-choices';

const NUMBERS = [
  ['inputSize', 'Input size'],
  ['epochs', 'Epochs'],
  ['batchSize', 'Batch size'],
  ['seed', 'Seed'],
] as const satisfies readonly (readonly [keyof PlannedDraft, string])[];

export function PlannedCard({ planned, index, isFixed }: { planned: PlannedDraft; index: number; isFixed: boolean }) {
  const { draft, update, datasets, shown } = useStudyForm();
  const path = `planned.${index}`;
  const size = toSize(planned.inputSize);
  const classCount = datasets.find(({ name }) => name === draft.dataset)?.classNames.length ?? null;
  const start = planned.initialisation;
  const toInitialisation = (from: ReturnType<typeof startFrom>) => (from.kind === 'pretrained' ? from : undefined);
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
        <Field
          label="Network"
          path={`${path}.network`}
          error={problemAt(shown, `${path}.network`)}
          hint={describeCost(planned.network, size)}
        >
          {(control) => (
            <NetworkPicker
              {...control}
              disabled={isFixed}
              value={planned.network}
              size={size}
              onChange={(network) =>
                change({ network, initialisation: start && toInitialisation(keepStart(start, network)) })
              }
            />
          )}
        </Field>
        <Field
          label="Start"
          path={`${path}.initialisation`}
          error={problemAt(shown, `${path}.initialisation`, true)}
          className="col-span-2"
        >
          {(control) => (
            <StartPicker
              {...control}
              disabled={isFixed}
              network={planned.network}
              value={start?.weights ?? RANDOM_START}
              others={[]}
              size={size}
              onChange={(weights) => {
                const ref = weights === RANDOM_START ? null : { kind: 'pretrained' as const, weights };
                change({ initialisation: toInitialisation(startFrom(ref, classCount)) });
              }}
            />
          )}
        </Field>
        {start && (
          <div className="col-span-2 sm:col-span-4">
            <HeadChoice
              start={start}
              dataset={draft.dataset}
              classCount={classCount}
              disabled={isFixed}
              onChange={(changed) => change({ initialisation: changed })}
            />
          </div>
        )}
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
          moreSummary={plannedRecipeSummary(planned)}
          moreAt={['accumulation', 'labelSmoothing', 'mixing', 'ema'].map((field) => `${path}.${field}`)}
          onChange={(optimizer) => change({ optimizer })}
        >
          <PlannedRecipeFields path={path} value={planned} disabled={isFixed} onChange={change} />
        </OptimizerFields>
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
