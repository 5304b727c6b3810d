'use client';
import type { HostTelemetryView } from '@mealtable/protocol/telemetry-views';
import type { HostView } from '@mealtable/protocol/views';
import { useRef } from 'react';
import { describeError } from '../../api-error';
import { useHasBeenNear } from '../../chart/use-has-been-near';
import { cn } from '../../ui/cn';
import { Skeleton } from '../../ui/skeleton';
import { currentValue, Tile } from './tile';
import { formatQuantity } from './units';
import { useHostTelemetry } from './use-host-telemetry';

/** The last quarter of an hour of a host, in small: what its machine and each of its GPUs do. */
export function HostSparklines({ host }: { host: HostView }) {
  const frame = useRef<HTMLDivElement>(null);
  const isNear = useHasBeenNear(frame);
  return (
    <div ref={frame} className="border-t px-4 py-3">
      <h3 className="mb-2 font-medium text-ink-2 text-xs">
        Last 15 minutes
        {host.state !== 'online' && <span className="font-normal text-ink-3"> · not current: the host is away</span>}
      </h3>
      {isNear ? <Sparklines host={host} /> : <Skeleton className="h-12" />}
    </div>
  );
}

function Sparklines({ host }: { host: HostView }) {
  const query = useHostTelemetry(host.id, { range: '15m' });
  if (query.isPending) return <Skeleton className="h-12" />;
  if (!query.data) return <p className="text-ink-2 text-sm">Not to be had just now: {describeError(query.error)}</p>;
  const { machine, gpus } = query.data;
  const isStale = host.state !== 'online';
  if (Object.keys(machine).length === 0 && gpus.length === 0)
    return (
      <p className="text-ink-3 text-sm">
        {isStale
          ? 'Nothing was measured in this time.'
          : 'Nothing measured yet. The first sample comes within seconds.'}
      </p>
    );
  return (
    <div className={cn('space-y-3', isStale && 'opacity-60')}>
      <MachineTiles view={query.data} isStale={isStale} />
      {gpus.map((gpu) => (
        <GpuTiles key={gpu.index} gpu={gpu} at={query.data.at} isStale={isStale} />
      ))}
    </div>
  );
}

const TILES = 'grid grid-cols-2 gap-x-4 gap-y-2 sm:grid-cols-4';

function MachineTiles({ view: { at, machine }, isStale }: { view: HostTelemetryView; isStale: boolean }) {
  const memory = currentValue(machine.memoryTotalBytes, true);
  const free = currentValue(machine.diskFreeBytes, isStale);
  return (
    <dl className={TILES}>
      <Tile name="CPU" unit="percent" at={at} columns={[machine.cpuPercent]} max={100} isStale={isStale} />
      <Tile
        name="Memory"
        unit="bytes"
        at={at}
        columns={[machine.memoryUsedBytes]}
        max={memory}
        more={memory !== null && `of ${formatQuantity(memory, 'bytes')}`}
        isStale={isStale}
      />
      <Tile
        name={free === null ? 'Disks' : `Disks · ${formatQuantity(free, 'bytes')} free`}
        unit="bytesPerS"
        at={at}
        columns={[machine.diskReadBytesPerS, machine.diskWriteBytesPerS]}
        names={['read', 'write']}
        isStale={isStale}
      />
      <Tile
        name="Network"
        unit="bytesPerS"
        at={at}
        columns={[machine.networkReceivedBytesPerS, machine.networkSentBytesPerS]}
        names={['in', 'out']}
        isStale={isStale}
      />
    </dl>
  );
}

function GpuTiles({ gpu, at, isStale }: { gpu: HostTelemetryView['gpus'][number]; at: number[]; isStale: boolean }) {
  const { columns, index, name } = gpu;
  if (Object.keys(columns).length === 0) return null;
  const memory = currentValue(columns.memoryTotalBytes, true);
  return (
    <section aria-label={`GPU ${index}`}>
      <h4 className="mb-1 truncate text-ink-2 text-xs">
        <span className="num font-medium text-ink">GPU {index}</span> {name}
      </h4>
      <dl className={TILES}>
        <Tile
          name="Utilisation"
          unit="percent"
          at={at}
          columns={[columns.utilisationPercent]}
          max={100}
          isStale={isStale}
        />
        <Tile
          name="Memory"
          unit="bytes"
          at={at}
          columns={[columns.memoryUsedBytes]}
          max={memory}
          more={memory !== null && `of ${formatQuantity(memory, 'bytes')}`}
          isStale={isStale}
        />
        <Tile name="Power" unit="watts" at={at} columns={[columns.powerW]} isStale={isStale} />
        <Tile name="Temperature" unit="celsius" at={at} columns={[columns.temperatureC]} max={100} isStale={isStale} />
      </dl>
    </section>
  );
}
