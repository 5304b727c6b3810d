'use client';
import type { RunsView, TableRun } from '@mealtable/protocol/run-query-view';
import { toTableRun } from '@mealtable/protocol/run-query-view';
import { useRef, useState } from 'react';
import { formatCount } from '../format';
import { useLiveEvent } from '../live-socket';
import { useTRPCClient } from '../trpc-provider';
import { toastError, toastPartly } from '../ui/toast';

export interface RunSelection {
  runs: ReadonlyMap<string, TableRun>;
  /** A range or all are being asked for. */
  isBusy: boolean;
  toggle: (run: TableRun, isSelected: boolean) => void;
  /** All between the run that was ticked last and this one. */
  extendTo: (run: TableRun) => void;
  /** All that match the view, in sight or not. */
  selectAll: () => void;
  clear: () => void;
}

/** Selected runs with what actions need to know of them, kept as new as the live events. */
export function useRunSelection(studyId: string, view: RunsView): RunSelection {
  const client = useTRPCClient();
  const [runs, setRuns] = useState<ReadonlyMap<string, TableRun>>(new Map());
  const [isBusy, setBusy] = useState(false);
  const anchor = useRef<string | null>(null);
  useLiveEvent('run:changed', (run) => {
    setRuns((old) => (old.has(run.id) ? new Map(old).set(run.id, toTableRun(run)) : old));
  });
  const add = async (between: [string, string] | null) => {
    setBusy(true);
    try {
      const { runs: found, matching } = await client.runsTable.range.query({ studyId, view, between });
      setRuns((old) => new Map([...(between ? old : []), ...found.map((run) => [run.id, run] as const)]));
      if (found.length < matching)
        toastPartly(
          `${formatCount(found.length)} of ${formatCount(matching)} runs selected`,
          'More cannot be changed at a time.',
        );
    } catch (error) {
      toastError('The runs were not selected', error);
    } finally {
      setBusy(false);
    }
  };
  return {
    runs,
    isBusy,
    toggle(run, isSelected) {
      anchor.current = run.id;
      setRuns((old) => {
        const next = new Map(old);
        if (isSelected) next.set(run.id, run);
        else next.delete(run.id);
        return next;
      });
    },
    extendTo(run) {
      void add([anchor.current ?? run.id, run.id]);
    },
    selectAll: () => void add(null),
    clear: () => setRuns(new Map()),
  };
}
