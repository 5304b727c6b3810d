'use client';
import type { NetworkRef } from '@mealtable/protocol/study-design';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button';
import { LabelledCheckbox } from '../../ui/checkbox';
import { Popover } from '../../ui/popover';
import { SearchBox } from '../../ui/search-box';
import { useStudyForm } from './form-context';
import { refId, sameRef } from './teacher-choices';

interface EnsemblePickerProps {
  label: string;
  onPick: (set: NetworkRef[]) => void;
  /** What is chosen when it opens. */
  initial?: readonly NetworkRef[];
}

/** With more to choose from than this, a search box helps. */
const SEARCH_FROM = 8;

export function EnsemblePicker({ label, onPick, initial = [] }: EnsemblePickerProps) {
  const { choices } = useStudyForm();
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState<readonly NetworkRef[]>(initial);
  const [search, setSearch] = useState('');
  const shown = choices.filter(({ label, detail }) =>
    `${label} ${detail}`.toLowerCase().includes(search.toLowerCase()),
  );
  return (
    <Popover
      label={label}
      open={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (open) {
          setChosen(initial);
          setSearch('');
        }
      }}
      trigger={
        <Button size="sm" disabled={choices.length === 0}>
          <Plus aria-hidden /> {label}
        </Button>
      }
    >
      {choices.length >= SEARCH_FROM && (
        <SearchBox label="Search teachers" value={search} onChange={setSearch} className="mb-2" />
      )}
      <div className="max-h-72 space-y-1 overflow-y-auto">
        {shown.map((choice) => (
          <LabelledCheckbox
            key={refId(choice.ref)}
            label={choice.label}
            hint={choice.detail}
            checked={chosen.some((ref) => sameRef(ref, choice.ref))}
            onChange={(checked) =>
              setChosen(checked ? [...chosen, choice.ref] : chosen.filter((ref) => !sameRef(ref, choice.ref)))
            }
          />
        ))}
        {shown.length === 0 && <p className="py-2 text-ink-3 text-sm">No teacher matches.</p>}
      </div>
      <Button
        variant="primary"
        className="mt-3 w-full"
        disabled={chosen.length === 0}
        onClick={() => {
          onPick([...chosen]);
          setOpen(false);
        }}
      >
        {chosen.length <= 1 ? 'Use this teacher' : `Use these ${chosen.length} together`}
      </Button>
    </Popover>
  );
}
