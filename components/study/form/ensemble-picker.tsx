'use client';
import type { NetworkRef } from '@mealtable/protocol/study-design';
import { Plus } from 'lucide-react';
import { Fragment, useState } from 'react';
import { Button } from '../../ui/button';
import { LabelledCheckbox } from '../../ui/checkbox';
import { FieldError } from '../../ui/field';
import { Popover } from '../../ui/popover';
import { SearchBox } from '../../ui/search-box';
import { chosenSize } from './draft';
import { EnsembleWeights } from './ensemble-weights';
import { useStudyForm } from './form-context';
import { describeCost, noteOf } from './network-options';
import { labelOf, refId, sameRef, type TeacherChoice } from './teacher-choices';
import { type TypedWeights, typedWeights, withWeights } from './teacher-weights';

interface EnsemblePickerProps {
  label: string;
  onPick: (set: NetworkRef[]) => void;
  /** What is chosen when it opens. */
  initial?: readonly NetworkRef[];
}

/** With more to choose from than this, a search box helps. */
const SEARCH_FROM = 8;

export function EnsemblePicker({ label, onPick, initial = [] }: EnsemblePickerProps) {
  const { choices, draft, known } = useStudyForm();
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState<readonly NetworkRef[]>(initial);
  const [weights, setWeights] = useState<TypedWeights>({});
  const [refusal, setRefusal] = useState<string | null>(null);
  const [search, setSearch] = useState('');
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = choices.filter(({ label, detail, group }) => {
    const text = `${label} ${detail} ${group}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const size = chosenSize(draft);
  return (
    <Popover
      label={label}
      wide
      open={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (open) {
          setChosen(initial);
          setWeights(typedWeights(initial));
          setRefusal(null);
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
      {/* Weights and button stay in sight beneath it, on a phone too. */}
      <div className="max-h-[max(8rem,min(20rem,calc(var(--radix-popover-content-available-height)-16rem)))] overflow-y-auto">
        {shown.map((choice, index) => (
          <Fragment key={refId(choice.ref)}>
            {choice.group !== shown[index - 1]?.group && (
              <div className="sticky top-0 bg-raised pt-2 pb-1 font-medium text-2xs text-ink-3 first:pt-0">
                {choice.group}
              </div>
            )}
            <LabelledCheckbox
              label={choice.label}
              hint={<Hint choice={choice} size={size} />}
              checked={chosen.some((ref) => sameRef(ref, choice.ref))}
              onChange={(checked) =>
                setChosen(checked ? [...chosen, choice.ref] : chosen.filter((ref) => !sameRef(ref, choice.ref)))
              }
            />
          </Fragment>
        ))}
        {shown.length === 0 && <p className="py-2 text-ink-3 text-sm">No teacher matches.</p>}
      </div>
      {chosen.length > 1 && (
        <EnsembleWeights
          chosen={chosen.map((ref) => ({ id: refId(ref), label: labelOf(ref, choices, known) }))}
          weights={weights}
          onChange={(changed) => {
            setWeights(changed);
            setRefusal(null);
          }}
        />
      )}
      <FieldError message={refusal} />
      <Button
        variant="primary"
        className="mt-3 w-full"
        disabled={chosen.length === 0}
        onClick={() => {
          const weighted = withWeights(chosen, weights);
          if (!weighted.ok) return setRefusal(weighted.message);
          onPick(weighted.set);
          setOpen(false);
        }}
      >
        {chosen.length <= 1 ? 'Use this teacher' : `Use these ${chosen.length} together`}
      </Button>
    </Popover>
  );
}

/** What it is, what it costs at the study's first size, and what its name is easily mistaken for. */
function Hint({ choice: { ref, network, detail }, size }: { choice: TeacherChoice; size: number }) {
  const note = ref.kind === 'pretrained' ? noteOf(ref.weights) : undefined;
  return (
    <>
      {detail} · {describeCost(network, size)} at {size} px
      {note && <span className="block text-warn">{note}</span>}
    </>
  );
}
