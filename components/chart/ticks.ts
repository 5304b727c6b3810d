/** Short labels for axes. */
import { formatClock, NONE } from '../format.ts';

const trim = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

/** "1.5k", "0.02", "1e−5" */
export function formatTick(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e6) return `${trim((value / 1e6).toFixed(2))}M`;
  if (size >= 1e4) return `${trim((value / 1e3).toFixed(1))}k`;
  if (size < 1e-3) return value.toExponential(1).replace('.0e', 'e').replace('-', '−');
  return trim(value.toFixed(size < 0.1 ? 4 : size < 10 ? 3 : 2)).replace('-', '−');
}

/** Seconds: "45s", "12m", "3h", "1h30" */
export function formatSecondsTick(seconds: number): string {
  if (seconds < 60) return `${trim(seconds.toFixed(seconds < 10 ? 1 : 0))}s`;
  const minutes = Math.round(seconds / 6) / 10;
  if (minutes < 60) return `${trim(minutes.toFixed(1))}m`;
  const hours = Math.floor(minutes / 60);
  const rest = Math.round(minutes % 60);
  return rest === 0 ? `${hours}h` : `${hours}h${String(rest).padStart(2, '0')}`;
}

const day = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' });
const DAY_MS = 86_400_000;

/**
 * A time of day on one line, or the date at midnight: "14:05", "14:05:30", "Nov 26".
 * @param at milliseconds since 1970 @param stepMs between two labels
 */
export function formatClockTick(at: number, stepMs: number): string {
  const clock = formatClock(at);
  if (stepMs >= DAY_MS || /^(00|24):00:00$/.test(clock)) return day.format(at);
  return stepMs < 60_000 ? clock : clock.slice(0, 5);
}
