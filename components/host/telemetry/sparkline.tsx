import { useId } from 'react';
import { sparklinePaths } from './sparkline-paths';

interface SparklineProps {
  at: readonly number[];
  /** One or two lines with the same scale; the second is drawn fainter. */
  columns: readonly (readonly (number | null)[])[];
  /** Top of the scale; null: the highest value. */
  max: number | null;
}

/** A small line without axes. What it says stands beside it as a number, so it is hidden from screen readers. */
export function Sparkline({ at, columns, max }: SparklineProps) {
  const id = useId();
  const top = max ?? Math.max(1e-9, ...columns.flatMap((column) => column.map((value) => value ?? 0))) * 1.1;
  return (
    <svg
      aria-hidden
      viewBox="0 0 100 28"
      preserveAspectRatio="none"
      className="h-7 w-full overflow-hidden rounded-[3px] bg-sunken"
    >
      {columns.map((column, index) => {
        const { line, area } = sparklinePaths(at, column, top, 100, 28);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines have no other name and never change places
          <g key={`${id}${index}`} className={index === 0 ? 'text-accent' : 'text-fill-muted'}>
            {index === 0 && <path d={area} fill="currentColor" opacity={0.14} />}
            <path
              d={line}
              fill="none"
              stroke="currentColor"
              strokeWidth={1.25}
              strokeLinejoin="round"
              vectorEffect="non-scaling-stroke"
            />
          </g>
        );
      })}
    </svg>
  );
}
