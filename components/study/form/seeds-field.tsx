'use client';
import { useState } from 'react';
import { Button } from '../../ui/button';
import { Chip } from '../../ui/chip';
import { FieldError, FieldGroup } from '../../ui/field';
import { Input } from '../../ui/input';
import { useStudyForm } from './form-context';
import { addSeeds, countedSeeds, parseSeeds } from './parse-seeds';
import { problemAt } from './problems';

const QUICK = [1, 3, 5, 10] as const;

export function SeedsField() {
  const { draft, update, shown, existing } = useStudyForm();
  const [typed, setTyped] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);
  const kept = existing?.seeds ?? [];
  const add = (text: string) => {
    if (text.trim() === '') return;
    const parsed = parseSeeds(text);
    if (!parsed.ok) return setRefusal(parsed.message);
    update({ seeds: addSeeds(draft.seeds, parsed.seeds) });
    setTyped('');
    setRefusal(null);
  };
  return (
    <FieldGroup
      label="Seeds"
      path="seeds"
      error={problemAt(shown, 'seeds', true)}
      hint="Every variant is trained once with each. Mean and spread are over them."
    >
      <ul className="flex flex-wrap items-center gap-2">
        {draft.seeds.map((seed) => (
          <Chip
            key={seed}
            name={`seed ${seed}`}
            fixed={kept.includes(seed)}
            onRemove={
              kept.includes(seed) ? undefined : () => update({ seeds: draft.seeds.filter((other) => other !== seed) })
            }
          >
            <span className="num">{seed}</span>
          </Chip>
        ))}
        <li className="flex items-center gap-1">
          <Input
            aria-label="Add seeds"
            placeholder="0, 1, 2 or 3-7"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setRefusal(null);
            }}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              add(typed);
            }}
            className="num h-7 w-36"
          />
          <Button size="sm" onClick={() => add(typed)} disabled={typed.trim() === ''}>
            Add
          </Button>
        </li>
      </ul>
      <div className="mt-2 flex flex-wrap items-center gap-1 text-ink-3 text-xs">
        Set to
        {QUICK.filter((count) => count >= kept.length).map((count) => (
          <Button key={count} size="sm" variant="ghost" onClick={() => update({ seeds: countedSeeds(count, kept) })}>
            <span className="num">{count}</span> {count === 1 ? 'seed' : 'seeds'}
          </Button>
        ))}
      </div>
      <FieldError message={refusal} />
    </FieldGroup>
  );
}
