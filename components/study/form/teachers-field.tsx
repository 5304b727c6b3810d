'use client';
import { PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import type { NetworkRef } from '@mealtable/protocol/study-design';
import { ensembleKey } from '@mealtable/protocol/variant-key';
import { Button } from '../../ui/button';
import { Chip } from '../../ui/chip';
import { FieldGroup } from '../../ui/field';
import { BaseMark } from './base-mark';
import { EnsemblePicker } from './ensemble-picker';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';
import { TrapNotice } from './start-picker';
import { labelOfSet } from './teacher-choices';

/** Levels of the factor "teachers": each chip is an ensemble. */
export function TeachersField() {
  const { draft, update, choices, known, datasets, shown, existing } = useStudyForm();
  const classCount = datasets.find(({ name }) => name === draft.dataset)?.classNames.length;
  const needsTraining = classCount !== undefined && classCount !== PUBLISHED_CLASS_COUNT;
  const weights = new Set(draft.teachers.flat().flatMap((ref) => (ref.kind === 'pretrained' ? [ref.weights] : [])));
  const present = new Set(draft.teachers.map(ensembleKey));
  const add = (sets: NetworkRef[][]) =>
    update((old) => ({ ...old, teachers: [...old.teachers, ...sets.filter((set) => !present.has(ensembleKey(set)))] }));
  const planned = choices.filter((choice) => choice.ref.kind === 'planned').map((choice) => choice.ref);
  const singles = planned.map((ref) => [ref]).filter((set) => !present.has(ensembleKey(set)));
  const canAddAll = planned.length > 1 && !present.has(ensembleKey(planned));
  return (
    <FieldGroup
      label="Teachers"
      path="factors.teachers"
      error={problemAt(shown, 'factors.teachers', true)}
      hint={
        choices.length === 0
          ? 'Nothing can teach yet: add a network to train first, from random or published weights.'
          : needsTraining
            ? 'Each level is an ensemble: the mean of its teachers’ soft labels. Published weights know ImageNet’s 1,000 classes: here they can start a network to train first.'
            : 'Each level is an ensemble: the mean of its teachers’ soft labels.'
      }
    >
      <ul className="flex flex-wrap items-center gap-2">
        {draft.teachers.map((set, index) => {
          const label = labelOfSet(set, choices, known);
          const isFixed = existing?.factors.teachers.some((old) => ensembleKey(old) === ensembleKey(set)) ?? false;
          return (
            <Chip
              key={ensembleKey(set)}
              name={label}
              fixed={isFixed}
              invalid={problemAt(shown, `factors.teachers.${index}`, true) !== null}
              onRemove={isFixed ? undefined : () => update({ teachers: draft.teachers.filter((_, i) => i !== index) })}
            >
              {label}
              <BaseMark
                index={index}
                name={label}
                onMakeBase={() => update({ teachers: [set, ...draft.teachers.filter((_, i) => i !== index)] })}
              />
            </Chip>
          );
        })}
        <li className="flex flex-wrap gap-2">
          <EnsemblePicker label="Add an ensemble" onPick={(set) => add([set])} />
          {singles.length > 1 && (
            <Button size="sm" variant="ghost" onClick={() => add(singles)}>
              Each alone
            </Button>
          )}
          {canAddAll && (
            <Button size="sm" variant="ghost" onClick={() => add([planned])}>
              All together
            </Button>
          )}
        </li>
      </ul>
      {[...weights].map((name) => (
        <TrapNotice key={name} weights={name} className="mt-2" />
      ))}
    </FieldGroup>
  );
}
