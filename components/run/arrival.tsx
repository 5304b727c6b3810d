import { formatBytes } from '../format';
import { Progress } from '../ui/progress';

/** How much of a file has come from its host. */
export function Arrival({ name, arrived, sizeBytes }: { name: string; arrived: number; sizeBytes: number }) {
  if (arrived === 0) return <span className="text-ink-3 text-xs">waits</span>;
  return (
    <span className="inline-flex w-36 flex-col items-end gap-1">
      <span className="num whitespace-nowrap text-xs">
        {formatBytes(arrived)} <span className="text-ink-3">of {formatBytes(sizeBytes)}</span>
      </span>
      <Progress value={arrived / sizeBytes} label={`${name} arrived`} />
    </span>
  );
}
