'use client';
import { applyFix, type QueryFault, readQuery } from '@mealtable/protocol/run-query';
import { type Completion, completeQuery } from '@mealtable/protocol/run-query-complete';
import type { RunFields } from '@mealtable/protocol/run-query-fields';
import { ListFilter, Wrench, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Button } from '../ui/button';
import { cn } from '../ui/cn';
import { controlClass } from '../ui/input';
import { FilterOptions } from './filter-options';
import { useStable } from './use-stable';

interface FilterBoxProps {
  value: string;
  fields: RunFields;
  onChange: (filter: string) => void;
}

/** What can be read filters after this pause in typing; a fault is told after that one. */
const APPLY_AFTER_MS = 200;
const TELL_AFTER_MS = 700;

/** The filter: completes what is typed, underlines what cannot be read, and offers the cure. */
export function FilterBox({ value, fields, onChange }: FilterBoxProps) {
  // What else happens on the page must not put off what is typed here.
  const applyFilter = useStable(onChange);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const [text, setText] = useState(value);
  const [completion, setCompletion] = useState<Completion | null>(null);
  const [active, setActive] = useState(-1);
  const [isTold, setTold] = useState(true);
  const reading = readQuery(text, fields);
  const fault = reading.ok ? null : reading.fault;

  // What was typed itself is older than what is being typed.
  const typed = useRef(value);
  useEffect(() => {
    if (value === typed.current) return;
    typed.current = value;
    setText(value);
  }, [value]);
  // The beginning of a field's name would be looked for as a word.
  const isHalf = completion !== null && completion.wants === 'field' && completion.to > completion.from;
  useEffect(() => {
    const isReadable = !isHalf && readQuery(text, fields).ok;
    const apply = setTimeout(() => {
      if (!isReadable || text === typed.current) return;
      typed.current = text;
      applyFilter(text);
    }, APPLY_AFTER_MS);
    const tell = setTimeout(() => setTold(true), TELL_AFTER_MS);
    return () => {
      clearTimeout(apply);
      clearTimeout(tell);
    };
  }, [text, isHalf, fields, applyFilter]);

  const change = (next: string, caret: number | null, isAsking: boolean) => {
    setText(next);
    setTold(false);
    setActive(-1);
    const found = caret === null ? null : completeQuery(next, caret, fields);
    const isUseful = found !== null && found.options.length > 0 && (isAsking || found.to > found.from);
    setCompletion(isUseful ? found : null);
  };
  const write = (next: string, caret: number) => {
    change(next, null, false);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(caret, caret);
    });
  };
  const pick = (index: number) => {
    const option = completion?.options[index];
    if (!completion || !option) return;
    const rest = text.slice(completion.to);
    const gap = rest.startsWith(' ') || rest.startsWith(')') ? '' : ' ';
    const left = text.slice(0, completion.from) + option.text + gap;
    write(left + rest, left.length);
    setCompletion(completeQuery(left, left.length, fields));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const caret = event.currentTarget.selectionStart ?? text.length;
    const count = completion?.options.length ?? 0;
    if (event.key === ' ' && event.ctrlKey) change(text, caret, true);
    else if (completion && (event.key === 'ArrowDown' || event.key === 'ArrowUp'))
      setActive(
        (active + (event.key === 'ArrowDown' ? 1 : -1) + count + (active < 0 && event.key === 'ArrowUp' ? 1 : 0)) %
          count,
      );
    else if (completion && active >= 0 && (event.key === 'Enter' || event.key === 'Tab')) pick(active);
    else if (event.key === 'Escape' && completion) setCompletion(null);
    else if (event.key === 'Enter') {
      setCompletion(null);
      setTold(true);
      return;
    } else return;
    event.preventDefault();
  };
  const shownFault = fault && isTold ? fault : null;
  return (
    <div className="relative min-w-0 grow basis-72">
      <ListFilter
        aria-hidden
        className="pointer-events-none absolute top-2 left-2.5 z-10 size-4 text-ink-3 pointer-coarse:top-3"
      />
      <div className="relative">
        <div
          ref={mirror}
          aria-hidden
          className="pointer-events-none absolute inset-0 overflow-hidden whitespace-pre border border-transparent pr-8 pl-8 font-mono text-sm leading-[1.875rem] text-transparent pointer-coarse:text-base pointer-coarse:leading-[2.375rem]"
        >
          {shownFault && <Underlined text={text} fault={shownFault} />}
        </div>
        <input
          ref={input}
          role="combobox"
          aria-label="Filter runs"
          aria-expanded={completion !== null}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={completion && active >= 0 ? `${id}-${active}` : undefined}
          aria-invalid={shownFault ? true : undefined}
          aria-describedby={shownFault ? `${id}-fault` : undefined}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="status = running and val/top1 > 70"
          value={text}
          onChange={(event) => change(event.target.value, event.target.selectionStart, false)}
          onKeyDown={onKeyDown}
          onScroll={(event) => {
            if (mirror.current) mirror.current.scrollLeft = event.currentTarget.scrollLeft;
          }}
          onBlur={() => {
            setCompletion(null);
            setTold(true);
          }}
          className={cn(controlClass, 'h-8 pr-8 pl-8 font-mono pointer-coarse:h-10')}
        />
        {text !== '' && (
          <button
            type="button"
            aria-label="Clear the filter"
            onClick={() => write('', 0)}
            className="absolute top-1.5 right-1.5 inline-flex size-5 items-center justify-center rounded text-ink-3 hover:bg-hover hover:text-ink pointer-coarse:top-2.5"
          >
            <X aria-hidden className="size-3.5" />
          </button>
        )}
      </div>
      {completion && (
        <FilterOptions id={id} completion={completion} active={active} onPick={pick} onPoint={setActive} />
      )}
      <div role="status" id={`${id}-fault`}>
        {shownFault && (
          <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-bad text-xs">
            <span>{shownFault.message}</span>
            {shownFault.fix && <FixButton text={text} fault={shownFault} onFix={(next) => write(next, next.length)} />}
          </p>
        )}
      </div>
    </div>
  );
}

/** At the end of the text there is nothing to underline but the place after it. */
function Underlined({ text, fault: { from, to } }: { text: string; fault: QueryFault }) {
  return (
    <>
      {text.slice(0, from)}
      <span className="underline decoration-2 decoration-bad decoration-wavy underline-offset-2">
        {text.slice(from, to) || '  '}
      </span>
      {text.slice(to)}
    </>
  );
}

function FixButton({ text, fault, onFix }: { text: string; fault: QueryFault; onFix: (text: string) => void }) {
  if (!fault.fix) return null;
  const cured = applyFix(text, fault.fix);
  return (
    <Button size="sm" onClick={() => onFix(cured)} title={cured} className="max-w-full">
      <Wrench aria-hidden />
      <span className="max-w-80 truncate font-mono">{cured}</span>
    </Button>
  );
}
