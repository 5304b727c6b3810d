/** Round numbers along an axis. */

/** @param count about so many @returns rising, within the range, at 1, 2 or 5 times a power of ten from each other */
export function linearTicks(min: number, max: number, count: number): number[] {
  const rough = (max - min) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [min];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  // Multiples, not sums, so that no error adds up; without the trace of one that a power of ten has.
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** @returns powers of ten within the range, or with 2 and 5 times them where there are few */
export function logTicks(min: number, max: number): number[] {
  const decades = Math.log10(max) - Math.log10(min);
  if (decades < 0.7) return linearTicks(min, max, 5).filter((tick) => tick > 0);
  const factors = decades < 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / 8));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++)
    if (power % every === 0)
      for (const factor of factors) {
        const tick = Number((factor * 10 ** power).toPrecision(12));
        if (tick >= min && tick <= max) ticks.push(tick);
      }
  return ticks;
}
