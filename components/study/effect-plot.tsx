import type { PairedDifference } from '@mealtable/protocol/views';
import { formatDifference, formatInterval } from '../format';
import { cn } from '../ui/cn';
import { type EffectScale, placeOn } from './effect-scale';

const HEIGHT = 24;
const percent = (share: number) => `${(share * 100).toFixed(3)}%`;

interface EffectPlotProps {
  name: string;
  difference: PairedDifference;
  scale: EffectScale;
  /** Null where nothing can be said. */
  isNoise: boolean | null;
}

/** A dot with its 95 % interval: full where 0 lies outside of it, hollow where it does not or nobody knows. */
export function EffectPlot({ name, difference: { mean, interval }, scale, isNoise }: EffectPlotProps) {
  const says =
    mean === null
      ? `${name}: no complete pair`
      : `${name}: ${formatDifference(mean)} points${interval ? `, 95 % interval ${formatInterval(interval)}` : ', no interval'}`;
  const low = interval && placeOn(scale, interval.low);
  const high = interval && placeOn(scale, interval.high);
  return (
    <svg
      role="img"
      aria-label={says}
      width="100%"
      height={HEIGHT}
      className={cn('block overflow-visible', isNoise === false ? 'text-accent' : 'text-ink-3')}
    >
      {scale.ticks.map((tick) => (
        <line
          key={tick}
          x1={percent(placeOn(scale, tick).at)}
          x2={percent(placeOn(scale, tick).at)}
          y1={tick === 0 ? -8 : 2}
          y2={tick === 0 ? HEIGHT + 8 : HEIGHT - 2}
          className={tick === 0 ? 'stroke-line-strong' : 'stroke-line'}
        />
      ))}
      {low && high && (
        <>
          <line
            x1={percent(low.at)}
            x2={percent(high.at)}
            y1={HEIGHT / 2}
            y2={HEIGHT / 2}
            stroke="currentColor"
            strokeWidth={1.75}
            strokeLinecap="round"
          />
          <IntervalEnd at={low.at} beyond={low.beyond} />
          <IntervalEnd at={high.at} beyond={high.beyond} />
        </>
      )}
      {mean !== null && (
        <circle
          cx={percent(placeOn(scale, mean).at)}
          cy={HEIGHT / 2}
          r={4}
          fill={isNoise === false ? 'currentColor' : 'var(--surface)'}
          stroke="currentColor"
          strokeWidth={1.75}
        />
      )}
    </svg>
  );
}

/** A bar across; an arrowhead where the interval goes on beyond the scale. */
function IntervalEnd({ at, beyond }: { at: number; beyond: -1 | 0 | 1 }) {
  return (
    <svg aria-hidden x={percent(at)} y={HEIGHT / 2} className="overflow-visible">
      {beyond === 0 ? (
        <line y1={-4} y2={4} stroke="currentColor" strokeWidth={1.75} strokeLinecap="round" />
      ) : (
        <path d={`M0,0 l${-6 * beyond},-4 v8 z`} fill="currentColor" />
      )}
    </svg>
  );
}

/** The marks of the scale in points, above the column of plots. */
export function EffectAxis({ scale }: { scale: EffectScale }) {
  return (
    <svg aria-hidden width="100%" height={14} className="num block overflow-visible text-2xs">
      {scale.ticks.map((tick) => (
        <text key={tick} x={percent(placeOn(scale, tick).at)} y={11} textAnchor="middle" className="fill-ink-3">
          {tickWords(tick)}
        </text>
      ))}
    </svg>
  );
}

const tickWords = (tick: number): string => {
  const size = String(Number(Math.abs(tick).toPrecision(6)));
  return tick === 0 ? '0' : `${tick > 0 ? '+' : '−'}${size}`;
};
