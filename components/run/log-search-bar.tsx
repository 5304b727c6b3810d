'use client';
import { MAX_SEARCH_LENGTH } from '@mealtable/protocol/run-log';
import { ChevronDown, ChevronUp, Regex } from 'lucide-react';
import type { RefObject } from 'react';
import { describeError } from '../api-error';
import { formatCount, plural } from '../format';
import { IconButton } from '../ui/button';
import { cn } from '../ui/cn';
import { SearchBox } from '../ui/search-box';
import type { SearchInput } from './log-window';
import { type LogSearch, MAX_HITS } from './use-log-search';

interface LogSearchBarProps {
  search: SearchInput;
  found: LogSearch;
  /** Index of the hit that is shown; -1 for none yet. */
  at: number;
  onGo: (step: 1 | -1) => void;
  box: RefObject<HTMLInputElement | null>;
}

/** A search over the whole log, with ways from hit to hit. */
export function LogSearchBar({ search, found, at, onGo, box }: LogSearchBarProps) {
  const { text, setText, isRegex, setRegex } = search;
  const hasHits = found.hits.length > 0;
  return (
    <div className="flex w-full min-w-0 flex-wrap items-center gap-1 sm:w-auto sm:grow">
      <SearchBox
        label="Search the log"
        value={text}
        onChange={setText}
        className="min-w-0 max-w-xl grow basis-40"
        input={{
          ref: box,
          maxLength: MAX_SEARCH_LENGTH,
          'aria-describedby': 'log-search-state',
          'aria-invalid': found.fault !== null || undefined,
          onKeyDown: (event) => {
            if (event.key === 'Enter') onGo(event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') setText('');
          },
        }}
      />
      <IconButton
        label="Regular expression"
        size="sm"
        aria-pressed={isRegex}
        className={cn(isRegex && 'border-accent-line bg-accent-soft text-accent')}
        onClick={() => setRegex(!isRegex)}
      >
        <Regex aria-hidden />
      </IconButton>
      <IconButton label="Previous hit (Shift+Enter)" size="sm" disabled={!hasHits} onClick={() => onGo(-1)}>
        <ChevronUp aria-hidden />
      </IconButton>
      <IconButton label="Next hit (Enter)" size="sm" disabled={!hasHits} onClick={() => onGo(1)}>
        <ChevronDown aria-hidden />
      </IconButton>
      <span id="log-search-state" role="status" className="min-w-16 text-ink-2 text-xs tabular-nums empty:hidden">
        {found.fault === null && describe(found, at, text)}
      </span>
      {found.fault && <Fault text={text} {...found.fault} />}
    </div>
  );
}

function describe({ hits, scanned, isSearching, error }: LogSearch, at: number, text: string): string {
  if (text === '') return '';
  if (error) return `The search failed: ${describeError(error)}`;
  const count = `${formatCount(hits.length)}${hits.length >= MAX_HITS ? '+' : ''}`;
  const place =
    at < 0 ? plural(hits.length, 'hit').replace(formatCount(hits.length), count) : `${formatCount(at + 1)} of ${count}`;
  if (isSearching)
    return hits.length > 0 ? `${place}, searching…` : `Searching… ${scanned > 0 ? plural(scanned, 'line') : ''}`;
  return hits.length === 0 ? 'No line matches' : place;
}

/** The pattern with the character at fault marked, and what is wrong with it. */
function Fault({ text, message, position }: { text: string; message: string; position: number }) {
  return (
    <p role="alert" className="basis-full break-words text-bad text-xs">
      <code className="mr-2 break-all">
        {text.slice(0, position)}
        <mark className="rounded-xs bg-bad-soft text-bad underline ring-1 ring-bad-line">{text[position]}</mark>
        {text.slice(position + 1)}
      </code>
      {message}
    </p>
  );
}
