'use client';
import { DISCRIMINATOR_LEVELS, type DiscriminatorLevel } from '@mealtable/protocol/study-choices';
import { LabelledCheckbox } from '../../ui/checkbox';
import { FieldGroup } from '../../ui/field';
import { Segmented } from '../../ui/segmented';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

/** Its levels as the form names them, the paper's own first. */
const LABELS: Record<`${DiscriminatorLevel}`, string> = {
  false: 'Off',
  true: 'On',
  reversal: 'Reversed',
  detached: 'Detached',
};

export function DiscriminatorField() {
  const { draft, update, shown, existing } = useStudyForm();
  const levels = draft.discriminator;
  const [base] = levels;
  const isFixed = (level: DiscriminatorLevel) => existing?.factors.discriminator.includes(level) ?? false;
  const set = (level: DiscriminatorLevel, isChosen: boolean) =>
    update({ discriminator: isChosen ? [...levels, level] : levels.filter((other) => other !== level) });
  return (
    <FieldGroup
      label="Discriminator"
      path="factors.discriminator"
      error={problemAt(shown, 'factors.discriminator', true)}
      hint="Tells the student’s output from the teachers’. On: the student learns to be told apart, as in MEAL V2’s code; reversed: not to be; detached: it learns nothing from it."
    >
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        {DISCRIMINATOR_LEVELS.map((level) => (
          <LabelledCheckbox
            key={`${level}`}
            label={LABELS[`${level}`]}
            checked={levels.includes(level)}
            disabled={isFixed(level)}
            onChange={(chosen) => set(level, chosen)}
          />
        ))}
        {draft.design === 'one-at-a-time' && base !== undefined && levels.length > 1 && (
          <span className="inline-flex items-center gap-2 text-ink-2 text-xs">
            Base
            <Segmented
              label="Base of the discriminator"
              value={`${base}`}
              disabled={existing !== null}
              onChange={(chosen) =>
                update({ discriminator: [...levels].sort((a, b) => rank(a, chosen) - rank(b, chosen)) })
              }
              options={DISCRIMINATOR_LEVELS.filter((level) => levels.includes(level)).map((level) => ({
                value: `${level}` as const,
                label: LABELS[`${level}`],
              }))}
            />
          </span>
        )}
      </div>
    </FieldGroup>
  );
}

/** Sorts the base to the front and leaves the rest as it is. */
const rank = (level: DiscriminatorLevel, base: string): number => (`${level}` === base ? 0 : 1);
