'use client';
import { FACTOR_WORDS } from '@mealtable/protocol/factor-levels';
import { CHOICE_NAMES, type ChoiceName, type Choices, choiceKey, choiceWords } from '@mealtable/protocol/study-choices';
import { Select } from '../../ui/select';
import { rowChoice, type VariantDraft } from './draft';
import { useStudyForm } from './form-context';

interface RowChoicesProps {
  variant: VariantDraft;
  index: number;
  isFixed: boolean;
  onChange: (choices: Partial<Choices>) => void;
}

/** Of a listed variant, which level it has of each factor that has several. */
export function RowChoices({ variant, index, isFixed, onChange }: RowChoicesProps) {
  const { draft } = useStudyForm();
  const several = CHOICE_NAMES.filter((name) => draft.choices[name].length > 1);
  if (several.length === 0) return null;
  const control = <K extends ChoiceName>(name: K) => {
    const levels: readonly Choices[K][] = draft.choices[name];
    const keyOf = (level: Choices[K]) => choiceKey(name, level);
    return (
      <Select
        key={name}
        aria-label={`${FACTOR_WORDS[name]} of variant ${index + 1}`}
        value={keyOf(rowChoice(draft.choices, variant.choices ?? {}, name))}
        disabled={isFixed}
        onChange={(key) => onChange({ ...variant.choices, [name]: levels.find((level) => keyOf(level) === key) })}
        options={levels.map((level) => ({ value: keyOf(level), label: choiceWords(name, level) }))}
        className="w-auto max-w-full"
      />
    );
  };
  return <div className="mt-2 flex flex-wrap gap-2 pl-8">{several.map((name) => control(name))}</div>;
}
