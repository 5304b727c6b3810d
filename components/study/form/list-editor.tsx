'use client';
import { Plus, Rows3, Trash2 } from 'lucide-react';
import { Button, IconButton } from '../../ui/button';
import { FieldError, FieldGroup } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { Segmented } from '../../ui/segmented';
import { nextDraftId, type StudyDraft, type VariantDraft } from './draft';
import { EnsemblePicker } from './ensemble-picker';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';
import { labelOf } from './teacher-choices';

/** Every combination of the factors' levels, to strike out what is not wanted. */
const fromFactors = (draft: StudyDraft): VariantDraft[] =>
  draft.teachers.flatMap((teachers) =>
    draft.discriminator.flatMap((discriminator) =>
      draft.inputSize.map((size) => ({ id: nextDraftId(), teachers, discriminator, inputSize: String(size) })),
    ),
  );

export function ListEditor() {
  const { draft, update, shown, existing } = useStudyForm();
  const fixedCount = existing?.design === 'list' ? existing.list.length : 0;
  const fill = fromFactors(draft);
  const add = () => {
    const last = draft.list.at(-1);
    const variant: VariantDraft = {
      id: nextDraftId(),
      teachers: last?.teachers ?? [],
      discriminator: last ? !last.discriminator : true,
      inputSize: last?.inputSize ?? '224',
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
        {draft.list.length === 0 && fill.length > 0 && (
          <Button size="sm" variant="ghost" onClick={() => update({ list: fill })}>
            <Rows3 aria-hidden /> Start from all {fill.length} combinations
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
  const teachers = variant.teachers.map((ref) => labelOf(ref, choices, known)).join(' + ');
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
        <Segmented
          label={`Discriminator of variant ${index + 1}`}
          value={variant.discriminator ? 'on' : 'off'}
          disabled={isFixed}
          onChange={(value) => change({ discriminator: value === 'on' })}
          options={[
            { value: 'off', label: 'Discr. off' },
            { value: 'on', label: 'Discr. on' },
          ]}
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
      <FieldError message={problemAt(shown, path, true)} />
    </li>
  );
}
