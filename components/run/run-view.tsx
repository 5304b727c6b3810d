'use client';
import { useEffect } from 'react';
import { readErrorCode } from '../api-error';
import { BackLink } from '../ui/back-link';
import { ErrorState } from '../ui/error-state';
import { PageHeader } from '../ui/page-header';
import { Skeleton } from '../ui/skeleton';
import { StatusBadge } from '../ui/status-badge';
import { TabPanel, Tabs } from '../ui/tabs';
import { useQueryTab } from '../use-query-tab';
import { shownStatus } from '../words';
import { AttemptsTab } from './attempts-tab';
import { ChartsTab } from './charts-tab';
import { CheckpointsTab } from './checkpoints-tab';
import { ConfigTab } from './config-tab';
import { FailurePanel } from './failure-panel';
import { LabelsTab } from './labels-tab';
import { LogTab } from './log-tab';
import { MissingRun } from './missing-run';
import { RunActions } from './run-actions';
import { RunFacts } from './run-facts';
import { runTitle } from './run-title';
import { TelemetryTab } from './telemetry-tab';
import { useRun } from './use-run';
import { WaitingPanel } from './waiting-panel';

const TABS = ['charts', 'telemetry', 'log', 'config', 'attempts', 'checkpoints'] as const;

export function RunView({ id, initialTab }: { id: string; initialTab: string | null }) {
  // Another run in the same place must not inherit this one's points.
  return <RunPage key={id} id={id} initialTab={initialTab} />;
}

function RunPage({ id, initialTab }: { id: string; initialTab: string | null }) {
  const query = useRun(id);
  const run = query.data;
  const [tab, setTab] = useQueryTab(TABS, initialTab);
  useEffect(() => {
    if (run) document.title = `${runTitle(run)} · Mealtable`;
  }, [run]);

  const code = readErrorCode(query.error);
  // Also when it was there before: somebody has deleted its study.
  if (code === 'not_found' || code === 'invalid') return <MissingRun />;
  if (query.isError && !run)
    return <ErrorState what="The run" error={query.error} onRetry={() => void query.refetch()} />;
  if (!run)
    return (
      <div role="status" aria-label="Loading the run">
        <Skeleton className="mb-3 h-4 w-40" />
        <Skeleton className="mb-6 h-7 w-96 max-w-full" />
        <Skeleton className="mb-6 h-24" />
        <Skeleton className="h-80" />
      </div>
    );
  const isEvaluation = run.role === 'evaluation';
  const isLabelling = run.role === 'labelling';
  const tabs = [
    { value: 'charts', label: 'Charts' },
    { value: 'telemetry', label: 'Telemetry' },
    { value: 'log', label: 'Log' },
    { value: 'config', label: 'Config' },
    { value: 'attempts', label: 'Attempts', count: run.attempts.length },
    ...(isEvaluation
      ? []
      : [
          isLabelling
            ? { value: 'checkpoints' as const, label: 'Labels' }
            : { value: 'checkpoints' as const, label: 'Checkpoints', count: run.checkpoints.length },
        ]),
  ] as const;
  return (
    <>
      <BackLink href={isEvaluation ? '/evaluations' : `/studies/${run.studyId}`}>{run.studyName}</BackLink>
      <PageHeader
        title={
          <>
            {run.variantLabel}
            {!isEvaluation && !isLabelling && <span className="font-normal text-ink-3"> seed {run.seed}</span>}
          </>
        }
        badges={<StatusBadge status={shownStatus(run)} />}
        actions={<RunActions run={run} />}
      />
      <RunFacts run={run} />
      <WaitingPanel run={run} />
      <FailurePanel run={run} onShowLog={() => setTab('log')} />
      <Tabs value={tab} onChange={setTab} tabs={tabs} label="Run">
        <TabPanel value="charts">
          <ChartsTab run={run} />
        </TabPanel>
        <TabPanel value="telemetry">
          <TelemetryTab run={run} />
        </TabPanel>
        <TabPanel value="log">
          <LogTab runId={run.id} status={run.status} attempts={run.attempts.map(({ attempt }) => attempt)} />
        </TabPanel>
        <TabPanel value="config">
          <ConfigTab run={run} />
        </TabPanel>
        <TabPanel value="attempts">
          <AttemptsTab attempts={run.attempts} />
        </TabPanel>
        <TabPanel value="checkpoints">{isLabelling ? <LabelsTab run={run} /> : <CheckpointsTab run={run} />}</TabPanel>
      </Tabs>
    </>
  );
}
