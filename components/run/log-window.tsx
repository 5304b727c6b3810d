'use client';
import { withoutStyles } from '@mealtable/protocol/output';
import type { LogFilter } from '@mealtable/protocol/run-log';
import { isEnded, type RunStatus } from '@mealtable/protocol/statuses';
import { ScrollText } from 'lucide-react';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { plural } from '../format';
import { Button } from '../ui/button';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { SkeletonRows } from '../ui/skeleton';
import { Switch } from '../ui/switch';
import { LogActions } from './log-actions';
import { keyOf } from './log-buffer';
import { LogLines } from './log-lines';
import { makeMatcher } from './log-matcher';
import { LogSearchBar } from './log-search-bar';
import { useLogSearch } from './use-log-search';
import { useRunLog } from './use-run-log';

export interface SearchInput {
  text: string;
  setText: (text: string) => void;
  isRegex: boolean;
  setRegex: (isRegex: boolean) => void;
}
interface LogWindowProps {
  runId: string;
  status: RunStatus;
  attempts: number[];
  filter: LogFilter;
  /** Nothing is left out by the filter. */
  isWhole: boolean;
  search: SearchInput;
  wraps: boolean;
  onWrap: (wraps: boolean) => void;
  filters: ReactNode;
}

export function LogWindow(props: LogWindowProps) {
  const { runId, status, attempts, filter, isWhole, search, wraps, onWrap, filters } = props;
  const log = useRunLog(runId, filter);
  const { buffer } = log;
  const { lines } = buffer;
  const found = useLogSearch(runId, filter, search.text, search.isRegex);
  const matcher = useMemo(() => makeMatcher(search.text, search.isRegex), [search.text, search.isRegex]);
  const [isFollowing, setFollowing] = useState(true);
  const [target, setTarget] = useState<{ key: string; turn: number } | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const searchBox = useRef<HTMLInputElement>(null);

  const follow = (wanted: boolean) => {
    buffer.isFollowed = wanted;
    setFollowing(wanted);
  };
  const followEnd = (wanted: boolean) => {
    follow(wanted);
    if (wanted) log.showEnd();
  };
  const at = target ? found.hits.findIndex((hit) => keyOf(hit) === target.key) : -1;
  const go = (step: 1 | -1) => {
    const { length } = found.hits;
    // The first step goes to the newest hit, whichever way.
    const index = at < 0 ? length - 1 : (at + step + length) % length;
    const hit = found.hits[index];
    if (!hit) return;
    follow(false);
    setTarget({ key: keyOf(hit), turn: (target?.turn ?? 0) + 1 });
    void log.showLine(hit);
  };
  const onKey = (key: string): boolean => {
    if (key === '/') searchBox.current?.focus();
    else if (key === 'n') go(1);
    else if (key === 'N' || key === 'p') go(-1);
    else if (key === 'End') followEnd(true);
    else return false;
    return true;
  };
  const jump = (attempt: number) => {
    follow(false);
    void log.showAttempt(attempt).then(() => frame.current?.scrollTo({ top: 0 }));
  };

  const content = () => {
    if (log.isLoading) return <SkeletonRows rows={8} label="the log" />;
    if (lines.length === 0 && log.error) return <ErrorState what="The log" error={log.error} onRetry={log.retry} />;
    if (lines.length === 0) return <NoLines isWhole={isWhole} hasEnded={isEnded(status)} />;
    return (
      <>
        {log.error ? <ErrorState what="A part of the log" error={log.error} onRetry={log.retry} /> : null}
        <LogLines
          lines={lines}
          matcher={matcher}
          target={target}
          wraps={wraps}
          isFollowing={isFollowing}
          onFollow={(wanted) => follow(wanted && !buffer.hasNewer)}
          onNearBeginning={() => buffer.hasOlder && void log.loadOlder()}
          onNearEnd={() => buffer.hasNewer && void log.loadNewer()}
          onKey={onKey}
          frame={frame}
        />
        <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-ink-3 text-xs">
          <span role="status">
            {plural(lines.length, 'line')}
            {(buffer.hasOlder || buffer.hasNewer) && ' loaded'}
          </span>
          {buffer.hasOlder && (
            <Button size="sm" variant="ghost" busy={log.isBusy} onClick={() => [follow(false), void log.loadOlder()]}>
              Load older
            </Button>
          )}
          {buffer.hasNewer && (
            <Button size="sm" variant="ghost" onClick={() => followEnd(true)}>
              Go to the end
            </Button>
          )}
          <span className="ml-auto hidden sm:inline">
            In the lines: <kbd>/</kbd> searches, <kbd>n</kbd> and <kbd>N</kbd> go from hit to hit, <kbd>End</kbd>{' '}
            follows
          </span>
        </p>
      </>
    );
  };

  return (
    <>
      <div className="mb-2 flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="-mx-1 max-w-full overflow-x-auto px-1">{filters}</div>
        <LogSearchBar search={search} found={found} at={at} onGo={go} box={searchBox} />
      </div>
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <Switch label="Follow" checked={isFollowing && !buffer.hasNewer} onChange={followEnd} />
        <Switch label="Wrap" checked={wraps} onChange={onWrap} />
        <LogActions
          runId={runId}
          filter={filter}
          attempts={attempts}
          onJump={jump}
          textOf={() => lines.map((line) => withoutStyles(line.line)).join('\n')}
        />
      </div>
      {content()}
    </>
  );
}

function NoLines({ isWhole, hasEnded }: { isWhole: boolean; hasEnded: boolean }) {
  if (!isWhole)
    return (
      <EmptyState icon={ScrollText} title="No such lines">
        Choose “All” to see the others.
      </EmptyState>
    );
  return (
    <EmptyState icon={ScrollText} title={hasEnded ? 'No lines were logged' : 'No lines yet'}>
      {!hasEnded && 'What the trainer logs and prints appears here as it comes.'}
    </EmptyState>
  );
}
