'use client';
import type { RunField, RunFields } from '@mealtable/protocol/run-query-fields';
import { MAX_GROUP_FIELDS } from '@mealtable/protocol/run-query-view';
import { Group, X } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/button';
import { Popover } from '../ui/popover';
import { SearchBox } from '../ui/search-box';

interface GroupMenuProps {
  group: readonly string[];
  fields: RunFields;
  onChange: (group: string[]) => void;
}

const MAX_LISTED = 40;
/** Most groups are by these: offered before somebody searches. */
const USUAL = new Set(['variant', 'status', 'host', 'role', 'network', 'seed']);

/** By what runs are gathered, outermost first. */
export function GroupMenu({ group, fields, onChange }: GroupMenuProps) {
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const { varied } = fields.schema;
  const offered = fields
    .withoutMetrics()
    .filter(({ name }) => !group.includes(name))
    .filter(({ name, words, group: part }) =>
      wanted === ''
        ? part === 'factor'
          ? varied.includes(name as never)
          : USUAL.has(name)
        : name.toLowerCase().includes(wanted) || words.toLowerCase().includes(wanted),
    )
    .sort((a, b) => Number(b.group === 'factor') - Number(a.group === 'factor'));
  const names = group.map((name) => fields.get(name)?.words ?? name);
  return (
    <Popover
      label="Group by"
      trigger={
        <Button className="max-w-72">
          <Group aria-hidden />
          <span className="truncate">{names.length === 0 ? 'Group by' : `By ${names.join(', ')}`}</span>
        </Button>
      }
    >
      {group.length > 0 && (
        <ol aria-label="Grouped by" className="mb-3 space-y-1">
          {group.map((name, i) => (
            <li
              key={name}
              className="flex items-center gap-2 rounded-control border bg-sunken py-0.5 pr-1 pl-2 text-sm"
            >
              <span className="num text-ink-3 text-xs">{i + 1}</span>
              <span className="min-w-0 grow break-words">{names[i]}</span>
              <button
                type="button"
                aria-label={`Do not group by ${names[i]}`}
                onClick={() => onChange(group.filter((each) => each !== name))}
                className="inline-flex size-6 shrink-0 items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink"
              >
                <X aria-hidden className="size-3.5" />
              </button>
            </li>
          ))}
        </ol>
      )}
      {group.length >= MAX_GROUP_FIELDS ? (
        <p className="text-ink-3 text-xs">Three fields are the most.</p>
      ) : (
        <>
          <SearchBox label="Search fields" value={search} onChange={setSearch} />
          <ul className="-mx-1 mt-2">
            {offered.slice(0, MAX_LISTED).map((field) => (
              <Offer
                key={field.name}
                field={field}
                onPick={() => {
                  onChange([...group, field.name]);
                  setSearch('');
                }}
              />
            ))}
          </ul>
          {offered.length === 0 && <p className="py-3 text-center text-ink-3 text-sm">Nothing matches.</p>}
        </>
      )}
    </Popover>
  );
}

const Offer = ({ field, onPick }: { field: RunField; onPick: () => void }) => (
  <li>
    <button
      type="button"
      data-offer={field.name}
      onClick={onPick}
      className="flex min-h-8 w-full items-center rounded-[5px] px-2 py-1 text-left text-sm hover:bg-hover pointer-coarse:min-h-10"
    >
      <span className="min-w-0 break-words">{field.words}</span>
      {field.group === 'config' && <span className="ml-auto text-ink-3 text-xs">config</span>}
    </button>
  </li>
);
