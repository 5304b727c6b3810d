'use client';
import { isEnded } from '@mealtable/protocol/statuses';
import type { StudyRun } from '@mealtable/protocol/study-page';
import type { Top1Row } from '@mealtable/protocol/views';
import { useQuery } from '@tanstack/react-query';
import { ChartLine } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { useMe } from '../account/use-me';
import { ChartBoard } from '../chart/chart-board';
import { SavedViews } from '../chart/saved-views';
import { useChartView } from '../chart/use-chart-view';
import { useSeriesStore } from '../chart/use-series-store';
import { STUDY_VIEW } from '../chart/view-state';
import { useIsShared } from '../share/shared-context';
import { useTRPC } from '../trpc-provider';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { Skeleton } from '../ui/skeleton';
import { chartFactors, chartRuns } from './chart-runs';

const HINT = 'Drag over a chart to zoom all of them, double-click to see everything again.';

interface StudyCurvesProps {
  studyId: string;
  rows: readonly Top1Row[];
  runs: readonly StudyRun[];
}

/** Charts of all metrics over the study's runs. */
export function StudyCurves({ studyId, rows, runs }: StudyCurvesProps) {
  const hasStarted = runs.some((run) => run.startedAt !== null);
  if (hasStarted) return <Curves studyId={studyId} rows={rows} runs={runs} />;
  return (
    <Section title="Curves">
      <EmptyState icon={ChartLine} title="No curves yet">
        {runs.every((run) => isEnded(run.status))
          ? 'No run of this study ever started.'
          : 'They begin with the first steps of the first run.'}
      </EmptyState>
    </Section>
  );
}

function Curves({ studyId, rows, runs }: StudyCurvesProps) {
  const trpc = useTRPC();
  const { canEdit } = useMe();
  const isShared = useIsShared();
  const [view, change, replace] = useChartView(STUDY_VIEW);
  const store = useSeriesStore();
  // Runs tell of their progress every second; charts are made anew only for what they show of them.
  const shownRuns = useSteady(useMemo(() => chartRuns(rows, runs), [rows, runs]));
  const factors = useSteady(useMemo(() => chartFactors(rows), [rows]));
  const names = useQuery(trpc.studyCharts.metricNames.queryOptions({ id: studyId }));
  const startedCount = shownRuns.length;
  const { refetch } = names;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a run that starts may have metrics that no other had
  useEffect(() => void refetch(), [startedCount, refetch]);

  return (
    <Section title="Curves" hint={HINT}>
      {names.data === undefined && names.error ? (
        <ErrorState what="The curves" error={names.error} onRetry={() => void refetch()} />
      ) : names.data === undefined ? (
        <div role="status" aria-label="Loading charts">
          <Skeleton className="h-80" />
        </div>
      ) : (
        <ChartBoard
          runs={shownRuns}
          factors={factors}
          metrics={names.data}
          store={store}
          view={view}
          change={change}
          actions={
            !isShared && (
              <SavedViews studyId={studyId} canEdit={canEdit} view={view} usual={STUDY_VIEW} onOpen={replace} />
            )
          }
        />
      )}
    </Section>
  );
}

/** The first of equal values, for what is made anew at every change of it. */
function useSteady<T>(value: T): T {
  const key = JSON.stringify(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the value
  return useMemo(() => value, [key]);
}
