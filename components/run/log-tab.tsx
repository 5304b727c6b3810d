'use client';
import { isEnded, type RunStatus } from '@mealtable/protocol/statuses';
import { ScrollText } from 'lucide-react';
import { useMemo, useState } from 'react';
import { plural } from '../format';
import { Button } from '../ui/button';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { SearchBox } from '../ui/search-box';
import { Segmented } from '../ui/segmented';
import { SkeletonRows } from '../ui/skeleton';
import { Switch } from '../ui/switch';
import { LogLines } from './log-lines';
import { useRunLog } from './use-run-log';

type Levels = 'all' | 'problems';

export function LogTab({ runId, status }: { runId: string; status: RunStatus }) {
  const log = useRunLog(runId);
  const [search, setSearch] = useState('');
  const [levels, setLevels] = useState<Levels>('all');
  const [isFollowing, setFollowing] = useState(true);
  const { lines, hasOlder } = log.buffer;
  const shown = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    if (!wanted && levels === 'all') return lines;
    return lines.filter(
      (line) =>
        (levels === 'all' || line.level === 'warning' || line.level === 'error') &&
        (!wanted || line.line.toLowerCase().includes(wanted)),
    );
  }, [lines, search, levels]);

  if (log.isLoading) return <SkeletonRows rows={8} label="the log" />;
  if (lines.length === 0 && log.error) return <ErrorState what="The log" error={log.error} onRetry={log.retry} />;
  if (lines.length === 0)
    return (
      <EmptyState icon={ScrollText} title={isEnded(status) ? 'No lines were logged' : 'No lines yet'}>
        {!isEnded(status) && 'What the trainer says appears here as it says it.'}
      </EmptyState>
    );
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
        <SearchBox label="Search the log" value={search} onChange={setSearch} className="w-full sm:w-64" />
        <Segmented
          label="Levels"
          value={levels}
          onChange={setLevels}
          options={[
            { value: 'all', label: 'All lines' },
            { value: 'problems', label: 'Warnings and errors' },
          ]}
        />
        <Switch label="Follow" checked={isFollowing} onChange={setFollowing} />
        <span className="ml-auto text-ink-3 text-xs" role="status">
          {shown.length === lines.length
            ? `${plural(lines.length, 'line')}${hasOlder ? ' loaded' : ''}`
            : `${plural(shown.length, 'line')} of ${lines.length}`}
        </span>
        {hasOlder && (
          <Button
            size="sm"
            busy={log.isLoadingOlder}
            onClick={() => {
              setFollowing(false);
              void log.loadOlder();
            }}
          >
            Load older
          </Button>
        )}
      </div>
      {log.error ? <ErrorState what="A part of the log" error={log.error} onRetry={log.retry} /> : null}
      <LogLines lines={shown} search={search.trim()} isFollowing={isFollowing} onFollow={setFollowing} />
    </>
  );
}
