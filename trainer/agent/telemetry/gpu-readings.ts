/** What nvidia-smi says of the GPUs, line by line, and its mean over the time of a sample. */
import { GPU_QUANTITIES, type GpuQuantity, type GpuSample } from '@mealtable/protocol/telemetry';

export const GPU_QUERY = [
  '--query-gpu=index,uuid,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu',
  '--format=csv,noheader,nounits',
];

export interface GpuReading {
  uuid: string;
  values: Record<GpuQuantity, number | null>;
}

const MEBIBYTE = 2 ** 20;

/**
 * @param line index, UUID, percent, MiB, MiB, watts, degrees; "[N/A]" or another word in brackets for what the device does not tell
 * @returns null for any other line: nvidia-smi writes its complaints between them
 */
export function parseGpuReading(line: string): GpuReading | null {
  const fields = line.split(',').map((field) => field.trim());
  const [index, uuid, utilisation, used, total, power, temperature] = fields;
  if (fields.length !== 7 || !/^\d+$/.test(index!) || !uuid) return null;
  const percent = toNumber(utilisation!);
  return {
    uuid,
    values: {
      utilisationPercent: percent === null ? null : Math.min(100, Math.max(0, percent)),
      memoryUsedBytes: times(toNumber(used!), MEBIBYTE),
      memoryTotalBytes: times(toNumber(total!), MEBIBYTE),
      powerW: toNumber(power!),
      temperatureC: toNumber(temperature!),
    },
  };
}

const toNumber = (field: string) => (/^-?\d+(\.\d+)?$/.test(field) ? Number(field) : null);
const times = (value: number | null, factor: number) => (value === null ? null : value * factor);

/** Means over the readings of one GPU; null where none of them has a number. */
export function meanReading(index: number, readings: readonly GpuReading[]): GpuSample {
  const mean = (quantity: GpuQuantity) => {
    const values = readings.flatMap(({ values }) => values[quantity] ?? []);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const means = Object.fromEntries(GPU_QUANTITIES.map((quantity) => [quantity, mean(quantity)]));
  return { index, ...(means as Record<GpuQuantity, number | null>) };
}
