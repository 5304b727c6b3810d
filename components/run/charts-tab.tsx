'use client';
import { isEnded } from '@mealtable/protocol/statuses';
import type { RunDetailView } from '@mealtable/protocol/views';
import { ChartLine } from 'lucide-react';
import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { ChartBoard } from '../chart/chart-board';
import type { ChartRun } from '../chart/chart-groups';
import { useChartView } from '../chart/use-chart-view';
import { useSeriesStore } from '../chart/use-series-store';
import { RUN_VIEW } from '../chart/view-state';
import { EmptyState } from '../ui/empty-state';

/** Charts of all metrics of one run. */
export function ChartsTab({ run }: { run: RunDetailView }) {
  const [view, change] = useChartView(RUN_VIEW);
  const store = useSeriesStore();
  const { id, seed, variantId, variantLabel, status, attempts } = run;
  const isLive = !isEnded(status);
  const runs = useMemo(
    (): ChartRun[] => [
      {
        ...{ id, seed, variantId, variantLabel, label: `${variantLabel} · seed ${seed}` },
        ...{ levels: null, color: 0, endedEarly: false, isLive },
      },
    ],
    [id, seed, variantId, variantLabel, isLive],
  );
  const starts = attempts.flatMap(({ attempt, startStep, startedAt }) =>
    attempt > 1 && startedAt !== null ? startStep : [],
  );
  const startsKey = starts.join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the list
  const markedSteps = useMemo(() => starts, [startsKey]);
  const hasLive = useSyncExternalStore(
    useCallback((listener) => store.onNames(listener), [store]),
    () => store.liveNames.size > 0,
    () => false,
  );
  const hasMetrics = run.metrics.length > 0 || hasLive;
  return (
    <>
      {!hasMetrics && (
        <EmptyState icon={ChartLine} title={isEnded(status) ? 'No points were recorded' : 'No points yet'}>
          {isEnded(status)
            ? 'The run ended before its first step. The log and the attempts say why.'
            : 'Curves appear here with the first steps, and move while the run trains.'}
        </EmptyState>
      )}
      {/* There also before the first point: it is what listens for it. */}
      <div hidden={!hasMetrics}>
        <ChartBoard
          runs={runs}
          factors={NO_FACTORS}
          metrics={run.metrics}
          store={store}
          view={view}
          change={change}
          markedSteps={markedSteps}
        />
      </div>
    </>
  );
}

const NO_FACTORS = [] as const;
