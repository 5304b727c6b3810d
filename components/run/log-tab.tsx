'use client';
import { LogFilter } from '@mealtable/protocol/run-log';
import type { RunStatus } from '@mealtable/protocol/statuses';
import { useState } from 'react';
import { Segmented } from '../ui/segmented';
import { LogWindow } from './log-window';

const FILTERS = {
  all: LogFilter.parse({}),
  log: LogFilter.parse({ sources: ['log'] }),
  problems: LogFilter.parse({ sources: ['log'], onlyProblems: true }),
  stdout: LogFilter.parse({ sources: ['stdout'] }),
  stderr: LogFilter.parse({ sources: ['stderr'] }),
};
type Shown = keyof typeof FILTERS;
const OPTIONS: { value: Shown; label: string; title: string }[] = [
  { value: 'all', label: 'All', title: "The trainer's log and what its process printed, by time" },
  { value: 'log', label: 'Log', title: "The trainer's own log" },
  { value: 'problems', label: 'Problems', title: "Warnings and errors of the trainer's log" },
  { value: 'stdout', label: 'stdout', title: 'What the process printed' },
  { value: 'stderr', label: 'stderr', title: 'What the process printed to its error stream' },
];

/** @param attempts numbers of the run's attempts, ascending */
export function LogTab({ runId, status, attempts }: { runId: string; status: RunStatus; attempts: number[] }) {
  const [shown, setShown] = useState<Shown>('all');
  const [text, setText] = useState('');
  const [isRegex, setRegex] = useState(false);
  const [wraps, setWraps] = useState(true);
  return (
    // Another filter is another log: its end, its places and its hits are others.
    <LogWindow
      key={shown}
      runId={runId}
      status={status}
      attempts={attempts}
      filter={FILTERS[shown]}
      isWhole={shown === 'all'}
      search={{ text, setText, isRegex, setRegex }}
      wraps={wraps}
      onWrap={setWraps}
      filters={<Segmented label="Lines to show" value={shown} onChange={setShown} options={OPTIONS} />}
    />
  );
}
