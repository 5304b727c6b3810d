'use client';
import { CHOICE_NAMES, type Choices, DISCRIMINATOR_LEVELS, discriminatorWord } from '@mealtable/protocol/study-choices';
import { MAX_RUNS_PER_STUDY } from '@mealtable/protocol/tunables';
import { Plus, Rows3, Trash2 } from 'lucide-react';
import { Button, IconButton } from '../../ui/button';
import { FieldError, FieldGroup } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Select } from '../../ui/select';
import { nextDraftId, type StudyDraft, type VariantDraft } from './draft';
import { EnsemblePicker } from './ensemble-picker';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';
import { RowChoices } from './row-choices';
import { labelOfSet } from './teacher-choices';

const countCombinations = ({ teachers, discriminator, inputSize, choices }: StudyDraft): number =>
  [teachers, discriminator, inputSize, ...CHOICE_NAMES.map((name) => choices[name])].reduce(
    (product, levels) => product * levels.length,
    1,
  );

/** Every combination of the factors' levels, to strike out what is not wanted. */
function fromFactors(draft: StudyDraft): VariantDraft[] {
  const choices = CHOICE_NAMES.reduce<Partial<Choices>[]>(
    (rows, name) => rows.flatMap((row) => draft.choices[name].map((level) => ({ ...row, [name]: level }))),
    [{}],
  );
  return draft.teachers.flatMap((teachers) =>
    draft.discriminator.flatMap((discriminator) =>
      draft.inputSize.flatMap((size) =>
        choices.map((chosen) => ({
          id: nextDraftId(),
          teachers,
          discriminator,
          inputSize: String(size),
          choices: chosen,
        })),
      ),
    ),
  );
}

export function ListEditor() {
  const { draft, update, shown, existing } = useStudyForm();
  const fixedCount = existing?.design === 'list' ? existing.list.length : 0;
  const combinations = countCombinations(draft);
  const add = () => {
    const last = draft.list.at(-1);
    const variant: VariantDraft = {
      id: nextDraftId(),
      teachers: last?.teachers ?? [],
      discriminator: last ? last.discriminator === false : true,
      inputSize: last?.inputSize ?? '224',
      choices: last?.choices ?? {},
    };
    update({ list: [...draft.list, variant] });
  };
  return (
    <FieldGroup label="Variants" path="list" error={problemAt(shown, 'list')}>
      <ol className="space-y-2">
        {draft.list.map((variant, index) => (
          <VariantRow key={variant.id} variant={variant} index={index} isFixed={index < fixedCount} />
        ))}
      </ol>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="sm" onClick={add}>
          <Plus aria-hidden /> Add a variant
        </Button>
        {draft.list.length === 0 && combinations > 0 && combinations <= MAX_RUNS_PER_STUDY && (
          <Button size="sm" variant="ghost" onClick={() => update({ list: fromFactors(draft) })}>
            <Rows3 aria-hidden /> Start from all {combinations} combinations
          </Button>
        )}
      </div>
    </FieldGroup>
  );
}

function VariantRow({ variant, index, isFixed }: { variant: VariantDraft; index: number; isFixed: boolean }) {
  const { draft, update, choices, known, shown } = useStudyForm();
  const path = `list.${index}`;
  const change = (part: Partial<VariantDraft>) =>
    update({ list: draft.list.map((other) => (other.id === variant.id ? { ...other, ...part } : other)) });
  const teachers = labelOfSet(variant.teachers, choices, known);
  return (
    <li data-path={path} className="rounded-lg border bg-sunken/50 px-3 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span className="num w-5 text-ink-3 text-xs">{index + 1}</span>
        <span className="min-w-40 grow basis-40 break-words text-sm" data-path={`${path}.teachers`}>
          {teachers || <span className="text-ink-3">no teachers</span>}
        </span>
        {!isFixed && (
          <EnsemblePicker
            label={teachers ? 'Change' : 'Choose teachers'}
            initial={variant.teachers}
            onPick={(set) => change({ teachers: set })}
          />
        )}
        <Select
          aria-label={`Discriminator of variant ${index + 1}`}
          value={`${variant.discriminator}`}
          disabled={isFixed}
          onChange={(value) =>
            change({ discriminator: DISCRIMINATOR_LEVELS.find((level) => `${level}` === value) ?? true })
          }
          options={DISCRIMINATOR_LEVELS.map((level) => ({
            value: `${level}`,
            label: `Discr. ${discriminatorWord(level)}`,
          }))}
          className="w-38"
        />
        <span data-path={`${path}.inputSize`}>
          <NumberInput
            aria-label={`Input size of variant ${index + 1}`}
            aria-invalid={problemAt(shown, `${path}.inputSize`) ? true : undefined}
            disabled={isFixed}
            value={variant.inputSize}
            onChange={(event) => change({ inputSize: event.target.value })}
            className="w-20"
          />
        </span>
        {!isFixed && (
          <IconButton
            label={`Remove variant ${index + 1}`}
            size="sm"
            onClick={() => update({ list: draft.list.filter((other) => other.id !== variant.id) })}
          >
            <Trash2 aria-hidden />
          </IconButton>
        )}
      </div>
      <RowChoices variant={variant} index={index} isFixed={isFixed} onChange={(choices) => change({ choices })} />
      <FieldError message={problemAt(shown, path, true)} />
    </li>
  );
}
