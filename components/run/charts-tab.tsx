'use client';
import { isEnded, type RunStatus } from '@mealtable/protocol/statuses';
import { ChartLine } from 'lucide-react';
import { useState } from 'react';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Skeleton } from '../ui/skeleton';
import { useChartSettings } from './chart-settings';
import { ChartToolbar } from './chart-toolbar';
import { groupMetrics } from './group-metrics';
import { MetricChart } from './metric-chart';
import type { RunMetrics } from './use-run-metrics';

export function ChartsTab({ metrics, status, runId }: { metrics: RunMetrics; status: RunStatus; runId: string }) {
  const [settings, setSettings] = useChartSettings();
  const [filter, setFilter] = useState('');
  const { buffer, version, error, retry } = metrics;
  const names = buffer.metrics();
  if (error && names.length === 0) return <ErrorState what="The curves" error={error} onRetry={retry} />;
  if (!buffer.isCaughtUp && names.length === 0)
    return (
      <div role="status" aria-label="Loading charts" className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
        {['a', 'b', 'c', 'd'].map((key) => (
          <Skeleton key={key} className="h-52" />
        ))}
      </div>
    );
  if (names.length === 0)
    return (
      <EmptyState icon={ChartLine} title={isEnded(status) ? 'No points were recorded' : 'No points yet'}>
        {isEnded(status)
          ? 'The run ended before its first step. The log and the attempts say why.'
          : 'Curves appear here with the first steps, and move while the run trains.'}
      </EmptyState>
    );
  const groups = groupMetrics(names, filter);
  return (
    <>
      <ChartToolbar settings={settings} onChange={setSettings} filter={filter} onFilter={setFilter} />
      {error ? <ErrorState what="A part of the curves" error={error} onRetry={retry} /> : null}
      {groups.length === 0 && <p className="py-8 text-center text-ink-3 text-sm">No chart matches “{filter}”.</p>}
      {groups.map((group) => (
        <section key={group.section} aria-label={group.title} className="mb-6">
          <h2 className="mb-2 font-medium text-ink-2 text-xs">{group.title}</h2>
          <div className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
            {group.metrics.map((metric) => {
              const series = buffer.series(metric);
              return series ? (
                <MetricChart
                  key={metric}
                  metric={metric}
                  series={series}
                  version={version}
                  settings={settings}
                  color={group.color}
                  syncKey={runId}
                />
              ) : null;
            })}
          </div>
        </section>
      ))}
    </>
  );
}
