/** How quantities of telemetry are written, and in which unit charts draw them. */
import { formatBytes, NONE } from '../../format.ts';

export type Unit = 'percent' | 'bytes' | 'bytesPerS' | 'watts' | 'celsius';

/** What one unit of a chart's axis is, and its name. */
export const CHART_UNITS: Record<Unit, { scale: number; name: string }> = {
  percent: { scale: 1, name: '%' },
  bytes: { scale: 2 ** 30, name: 'GiB' },
  bytesPerS: { scale: 2 ** 20, name: 'MiB/s' },
  watts: { scale: 1, name: 'W' },
  celsius: { scale: 1, name: '°C' },
};

/** "93%", "68.5 GiB", "1.20 MiB/s", "512 W", "61 °C" */
export function formatQuantity(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return NONE;
  switch (unit) {
    case 'percent':
      return `${value.toFixed(value > 0 && value < 9.95 ? 1 : 0)}%`;
    case 'bytes':
      return formatBytes(Math.round(value));
    case 'bytesPerS':
      return `${formatBytes(Math.round(value))}/s`;
    case 'watts':
      return `${value.toFixed(0)} W`;
    case 'celsius':
      return `${value.toFixed(0)} °C`;
  }
}
