'use client';
import type { GpuQuantity, TelemetryWindow } from '@mealtable/protocol/telemetry';
import type { HostTelemetryView } from '@mealtable/protocol/telemetry-views';
import { Activity } from 'lucide-react';
import { useMemo } from 'react';
import { EmptyState } from '../../ui/empty-state';
import { ErrorState } from '../../ui/error-state';
import { Skeleton } from '../../ui/skeleton';
import { TelemetryChart } from './telemetry-chart';
import type { Unit } from './units';
import { useHostTelemetry } from './use-host-telemetry';

const GPU_CHARTS: { title: string; quantity: GpuQuantity; unit: Unit }[] = [
  { title: 'GPU utilisation', quantity: 'utilisationPercent', unit: 'percent' },
  { title: 'GPU memory', quantity: 'memoryUsedBytes', unit: 'bytes' },
  { title: 'GPU power', quantity: 'powerW', unit: 'watts' },
  { title: 'GPU temperature', quantity: 'temperatureC', unit: 'celsius' },
];
const GRID = 'grid gap-3 md:grid-cols-2 xl:grid-cols-3';

/** All that a host measured in a window of time. */
export function HostCharts({ hostId, window }: { hostId: string; window: TelemetryWindow }) {
  const query = useHostTelemetry(hostId, window);
  if (query.isPending)
    return (
      <div role="status" aria-label="Loading charts" className={GRID}>
        {['a', 'b', 'c'].map((key) => (
          <Skeleton key={key} className="h-56" />
        ))}
      </div>
    );
  if (!query.data) return <ErrorState what="The telemetry" error={query.error} onRetry={() => void query.refetch()} />;
  const { machine, gpus } = query.data;
  if (Object.keys(machine).length === 0 && gpus.length === 0)
    return (
      <EmptyState icon={Activity} title="Nothing was measured in this time">
        The host was away, or its agent is of a version that does not measure. Samples are kept for 24 hours, means over
        a minute for 30 days.
      </EmptyState>
    );
  return <Charts view={query.data} syncKey={hostId} />;
}

function Charts({ view, syncKey }: { view: HostTelemetryView; syncKey: string }) {
  const { at, machine, gpus } = view;
  const gpuLines = useMemo(
    () =>
      GPU_CHARTS.map((chart) => ({
        ...chart,
        lines: gpus.map(({ index, columns }) => ({ name: `GPU ${index}`, values: columns[chart.quantity] })),
      })),
    [gpus],
  );
  const machineLines = useMemo(
    () => [
      { title: 'CPU', unit: 'percent' as const, lines: [{ name: 'All cores', values: machine.cpuPercent }] },
      {
        title: 'Memory',
        unit: 'bytes' as const,
        lines: [
          { name: 'Used', values: machine.memoryUsedBytes },
          { name: 'Total', values: machine.memoryTotalBytes },
        ],
      },
      {
        title: 'Disks',
        unit: 'bytesPerS' as const,
        lines: [
          { name: 'Read', values: machine.diskReadBytesPerS },
          { name: 'Written', values: machine.diskWriteBytesPerS },
        ],
      },
      {
        title: 'Network',
        unit: 'bytesPerS' as const,
        lines: [
          { name: 'Received', values: machine.networkReceivedBytesPerS },
          { name: 'Sent', values: machine.networkSentBytesPerS },
        ],
      },
      {
        title: 'Disk of the attempts',
        unit: 'bytes' as const,
        lines: [
          { name: 'Free', values: machine.diskFreeBytes },
          { name: 'Used', values: machine.diskUsedBytes },
        ],
      },
    ],
    [machine],
  );
  return (
    <div className={GRID}>
      {[...gpuLines, ...machineLines].map(({ title, unit, lines }) => (
        <TelemetryChart key={title} title={title} unit={unit} at={at} lines={lines} syncKey={syncKey} />
      ))}
    </div>
  );
}
