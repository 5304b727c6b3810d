'use client';
import { INPUT_SIZE_CHOICES, InputSize } from '@mealtable/protocol/run-config';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button';
import { Chip } from '../../ui/chip';
import { FieldError, FieldGroup } from '../../ui/field';
import { NumberInput } from '../../ui/input';
import { BaseMark } from './base-mark';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';

export function InputSizeField() {
  const { draft, update, shown, existing } = useStudyForm();
  const [typed, setTyped] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);
  const sizes = draft.inputSize;
  const offered = INPUT_SIZE_CHOICES.filter((size) => !sizes.includes(size));
  const add = (size: number) => update({ inputSize: [...sizes, size] });
  const addTyped = () => {
    if (typed.trim() === '') return;
    const parsed = InputSize.safeParse(Number(typed));
    if (!parsed.success) return setRefusal(parsed.error.issues[0]?.message ?? null);
    if (sizes.includes(parsed.data)) return setRefusal(`${parsed.data} is listed already.`);
    add(parsed.data);
    setTyped('');
    setRefusal(null);
  };
  return (
    <FieldGroup
      label="Input size (pixels)"
      path="factors.inputSize"
      error={problemAt(shown, 'factors.inputSize', true)}
    >
      <ul className="flex flex-wrap items-center gap-2">
        {sizes.map((size, index) => {
          const isFixed = existing?.factors.inputSize.includes(size) ?? false;
          return (
            <Chip
              key={size}
              name={`${size} pixels`}
              fixed={isFixed}
              invalid={problemAt(shown, `factors.inputSize.${index}`) !== null}
              onRemove={isFixed ? undefined : () => update({ inputSize: sizes.filter((other) => other !== size) })}
            >
              <span className="num">{size}</span>
              <BaseMark
                index={index}
                name={`${size} pixels`}
                onMakeBase={() => update({ inputSize: [size, ...sizes.filter((other) => other !== size)] })}
              />
            </Chip>
          );
        })}
        {offered.map((size) => (
          <li key={size}>
            <Button size="sm" variant="ghost" onClick={() => add(size)} aria-label={`Add ${size} pixels`}>
              <Plus aria-hidden />
              <span className="num">{size}</span>
            </Button>
          </li>
        ))}
        <li className="flex items-center gap-1">
          <NumberInput
            aria-label="Another input size"
            placeholder="other"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setRefusal(null);
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              addTyped();
            }}
            className="h-7 w-20"
          />
          <Button size="sm" onClick={addTyped} disabled={typed.trim() === ''}>
            Add
          </Button>
        </li>
      </ul>
      <FieldError message={refusal} />
    </FieldGroup>
  );
}
