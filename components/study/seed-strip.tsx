import type { Top1Row } from '@mealtable/protocol/views';
import { formatPercent } from '../format';
import { cn } from '../ui/cn';
import { Tip } from '../ui/tooltip';
import { STATUS_WORDS } from '../words';

const WIDTH = 136;
const HEIGHT = 20;

/** Every seed's value on one scale for the whole table: filled when it counts, hollow while it may still change. */
export function SeedStrip({
  row,
  range,
  isBest,
}: {
  row: Top1Row;
  range: { min: number; max: number };
  isBest: boolean;
}) {
  // Values off the scale stand at its end.
  const place = (top1: number) =>
    4 + Math.min(1, Math.max(0, (top1 - range.min) / (range.max - range.min))) * (WIDTH - 8);
  const shown = row.values.flatMap((value) => (value.top1 === null ? [] : [{ ...value, top1: value.top1 }]));
  if (shown.length === 0) return null;
  const says = row.values.map(
    ({ seed, top1, status }) =>
      `seed ${seed}: ${top1 === null ? '' : `${formatPercent(top1)} `}${status === 'succeeded' ? '' : `(${STATUS_WORDS[status].toLowerCase()})`}`,
  );
  return (
    <Tip
      text={
        <ul className="num">
          {says.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      }
    >
      <svg
        role="img"
        aria-label={says.join('; ')}
        width={WIDTH}
        height={HEIGHT}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        className={cn('block', isBest ? 'text-accent' : 'text-ink-2')}
      >
        <line x1={0} x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} className="stroke-line" />
        {row.mean !== null && (
          <line
            x1={place(row.mean)}
            x2={place(row.mean)}
            y1={3}
            y2={HEIGHT - 3}
            stroke="currentColor"
            strokeWidth={1.5}
            strokeLinecap="round"
          />
        )}
        {shown.map(({ seed, top1, status }) => (
          <circle
            key={seed}
            cx={place(top1)}
            cy={HEIGHT / 2}
            r={3}
            fill={status === 'succeeded' ? 'currentColor' : 'var(--surface)'}
            fillOpacity={status === 'succeeded' ? 0.55 : 1}
            stroke={status === 'failed' ? 'var(--bad)' : 'currentColor'}
            strokeWidth={status === 'succeeded' ? 0 : 1.25}
          />
        ))}
      </svg>
    </Tip>
  );
}
