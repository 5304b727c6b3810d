/** Numbers, times and sizes as people read them. Accuracies are percent with two decimals. */

export const NONE = '–';

export const formatPercent = (value: number | null | undefined, decimals = 2): string =>
  value === null || value === undefined ? NONE : value.toFixed(decimals);

/** "+0.42", "−1.30", "0.00": with a true minus sign, so columns line up. */
export function formatDifference(value: number | null, decimals = 2): string {
  if (value === null) return NONE;
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return value > 0 ? `+${text}` : `−${text}`;
}

/** "[+0.10, −2.33]" */
export const formatInterval = ({ low, high }: { low: number; high: number }, decimals = 2): string =>
  `[${formatDifference(low, decimals)}, ${formatDifference(high, decimals)}]`;

export const formatCount = (value: number): string => value.toLocaleString('en');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** "4 s", "12 min 30 s", "3 h 05 min", "2 d 4 h" */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const STEPS: [limitSeconds: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [90, 1, 'second'],
  [90 * 60, 60, 'minute'],
  [36 * 3600, 3600, 'hour'],
  [45 * 86400, 86400, 'day'],
  [540 * 86400, 30 * 86400, 'month'],
  [Number.POSITIVE_INFINITY, 365 * 86400, 'year'],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' });

/** "just now", "12s ago", "3 min. ago" */
export function formatRelative(at: number, now: number): string {
  const seconds = (at - now) / 1000;
  if (Math.abs(seconds) < 5) return 'just now';
  for (const [limit, size, unit] of STEPS)
    if (Math.abs(seconds) < limit) return relative.format(Math.round(seconds / size), unit);
  return NONE;
}

const absolute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
export const formatAbsolute = (at: number): string => absolute.format(at);

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
export const formatClock = (at: number): string => clock.format(at);

/** Powers of 1024, as the tools of operating systems show them. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** "588 MMACs", "4.09 GMACs", "1.23 PMACs": multiply-accumulates with three digits. */
export function formatMacs(macs: number): string {
  if (macs === 0) return '0';
  const units = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, Number(macs.toPrecision(3)))) / 3));
  const value = macs / 1000 ** unit;
  return `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)} ${units[unit]}MACs`;
}

/** Four significant digits for a metric of unknown scale; very small and very large ones in powers of ten. */
export function formatMetric(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace('e-', 'e−').replace('e+', 'e');
  if (Number.isInteger(value)) return formatCount(value);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

export { shortCount as formatMillions } from '@mealtable/protocol/registry';
