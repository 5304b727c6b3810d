'use client';
import { isActive } from '@mealtable/protocol/statuses';
import type { RunDetailView } from '@mealtable/protocol/views';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Activity } from 'lucide-react';
import { useMemo } from 'react';
import { TelemetryChart, type TelemetryLine } from '../host/telemetry/telemetry-chart';
import type { Unit } from '../host/telemetry/units';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Skeleton } from '../ui/skeleton';

const GRID = 'grid gap-3 md:grid-cols-2 xl:grid-cols-3';
const RENEW_MS = 5_000;

/** What the run's trainer and the GPU of its slot did, over all its attempts. */
export function TelemetryTab({ run }: { run: RunDetailView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const input = { runId: run.id };
  const query = useQuery(trpc.telemetry.run.queryOptions(input));
  const renew = useThrottle(
    () => void queryClient.invalidateQueries({ queryKey: trpc.telemetry.run.queryKey(input) }),
    RENEW_MS,
  );
  const hostId = isActive(run.status) ? run.hostId : null;
  useWatch(hostId === null ? null : { kind: 'host', hostId }, { onJoined: renew });
  useLiveEvent('host:sampled', ({ sample }) => {
    if (sample.trainers.some(({ runId }) => runId === run.id)) renew();
  });
  const { data } = query;
  const charts = useMemo((): { title: string; unit: Unit; lines: TelemetryLine[] }[] => {
    if (!data) return [];
    const { gpu, trainer } = data;
    return [
      { title: 'GPU utilisation', unit: 'percent', lines: [{ name: 'GPU', values: gpu.utilisationPercent }] },
      {
        title: 'GPU memory',
        unit: 'bytes',
        lines: [
          { name: 'Used', values: gpu.memoryUsedBytes },
          { name: 'Total', values: gpu.memoryTotalBytes },
        ],
      },
      { title: 'GPU power', unit: 'watts', lines: [{ name: 'GPU', values: gpu.powerW }] },
      { title: 'GPU temperature', unit: 'celsius', lines: [{ name: 'GPU', values: gpu.temperatureC }] },
      {
        title: 'CPU of the trainer, 100% is one core',
        unit: 'percent',
        lines: [{ name: 'Trainer', values: trainer.cpuPercent }],
      },
      { title: 'Memory of the trainer', unit: 'bytes', lines: [{ name: 'Resident', values: trainer.rssBytes }] },
    ];
  }, [data]);
  if (query.isPending)
    return (
      <div role="status" aria-label="Loading telemetry" className={GRID}>
        <Skeleton className="h-56" />
        <Skeleton className="h-56" />
      </div>
    );
  if (!data) return <ErrorState what="The telemetry" error={query.error} onRetry={() => void query.refetch()} />;
  if (charts.every(({ lines }) => lines.every(({ values }) => values === undefined)))
    return (
      <EmptyState icon={Activity} title={isActive(run.status) ? 'Nothing measured yet' : 'Nothing was measured'}>
        {isActive(run.status)
          ? 'The host measures the trainer every few seconds, from when it has begun.'
          : 'The run has not been on a host, was too short, or ended more than 30 days ago.'}
      </EmptyState>
    );
  const marks = run.attempts.slice(1).map((attempt) => attempt.claimedAt);
  return (
    <div className={GRID}>
      {charts.map(({ title, unit, lines }) => (
        <TelemetryChart
          key={title}
          title={title}
          unit={unit}
          at={data.at}
          lines={lines}
          marks={marks}
          syncKey={`telemetry ${run.id}`}
        />
      ))}
    </div>
  );
}
