'use client';
import { FACTOR_WORDS } from '@mealtable/protocol/factor-levels';
import {
  type ChoiceName,
  type Choices,
  choiceKey,
  choiceSchemas,
  choiceWords,
} from '@mealtable/protocol/study-choices';
import { Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Button } from '../../ui/button';
import { Chip } from '../../ui/chip';
import { FieldError, FieldGroup } from '../../ui/field';
import { BaseMark } from './base-mark';
import { choicesOfDesign } from './draft';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

interface LevelsFieldProps<K extends ChoiceName> {
  name: K;
  hint: string;
  /** Levels that are one press away. */
  offered: readonly Choices[K][];
  /** A level under the field's heading, where its full words would repeat that; the words of labels unless given. */
  show?: (level: Choices[K]) => string;
  /** Fields for any other level; `add` says whether it was taken, and shows why not. */
  children?: (add: (level: unknown) => boolean, clearRefusal: () => void) => ReactNode;
}

/** Levels of one factor: one for all variants, or several to compare. */
export function LevelsField<K extends ChoiceName>({ name, hint, offered, show, children }: LevelsFieldProps<K>) {
  const { draft, update, shown, existing } = useStudyForm();
  const [refusal, setRefusal] = useState<string | null>(null);
  const levels: readonly Choices[K][] = draft.choices[name];
  const keyOf = (level: Choices[K]) => choiceKey(name, level);
  const shortOf = show ?? ((level: Choices[K]) => choiceWords(name, level));
  const has = (level: Choices[K]) => levels.some((other) => keyOf(other) === keyOf(level));
  const set = (next: readonly Choices[K][]) => update({ choices: { ...draft.choices, [name]: next } });
  const add = (typed: unknown): boolean => {
    const parsed = choiceSchemas[name].safeParse(typed);
    if (!parsed.success) {
      setRefusal(parsed.error.issues[0]?.message ?? 'This level cannot be.');
      return false;
    }
    const level = parsed.data as Choices[K];
    if (has(level)) {
      setRefusal(`"${choiceWords(name, level)}" is listed already.`);
      return false;
    }
    set([...levels, level]);
    setRefusal(null);
    return true;
  };
  // Variants of an existing study have these levels, so that they cannot go.
  const isFixed = (level: Choices[K]) =>
    existing !== null &&
    (choicesOfDesign(existing)[name] as readonly Choices[K][]).some((old) => keyOf(old) === keyOf(level));
  return (
    <FieldGroup
      label={FACTOR_WORDS[name]}
      path={`factors.${name}`}
      hint={hint}
      error={problemAt(shown, `factors.${name}`, true)}
    >
      <ul className="flex flex-wrap items-center gap-2">
        {levels.map((level, index) => {
          const words = choiceWords(name, level);
          return (
            <Chip
              key={keyOf(level)}
              name={words}
              fixed={isFixed(level)}
              // A factor has a level in every variant: the last one stays until there is another.
              onRemove={
                isFixed(level) || levels.length === 1 ? undefined : () => set(levels.filter((_, i) => i !== index))
              }
            >
              {shortOf(level)}
              {levels.length > 1 && (
                <BaseMark
                  index={index}
                  name={words}
                  onMakeBase={() => set([level, ...levels.filter((_, i) => i !== index)])}
                />
              )}
            </Chip>
          );
        })}
        {offered
          .filter((level) => !has(level))
          .map((level) => (
            <li key={keyOf(level)}>
              <Button
                size="sm"
                variant="ghost"
                aria-label={`Add ${choiceWords(name, level)}`}
                onClick={() => add(level)}
              >
                <Plus aria-hidden /> {shortOf(level)}
              </Button>
            </li>
          ))}
        {children && <li className="flex flex-wrap items-center gap-1">{children(add, () => setRefusal(null))}</li>}
      </ul>
      <FieldError message={refusal} />
    </FieldGroup>
  );
}
