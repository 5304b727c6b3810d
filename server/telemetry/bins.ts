/** Places in time of a chart: few enough to draw, and each as long as the samples allow. */
import { MINUTE_S, SAMPLE_WIDTHS_S } from '@mealtable/protocol/telemetry';
import { KEEP_SAMPLES_MS } from '@mealtable/protocol/tunables';

/** Below the first a place would now and then have no sample, and look like a gap. */
const BINS_S = [15, 60, 180, 600, 1_800, 7_200, 21_600, 86_400];
const MAX_BINS = 500;

export interface Bins {
  binMs: number;
  /** Starts of the places. */
  at: number[];
  /** Place of a start. */
  indexOf: ReadonlyMap<number, number>;
  /** Of the samples to be read. */
  widths: readonly number[];
}

/** @param from milliseconds, as all here @param now by which it is known what is still kept */
export function makeBins(from: number, to: number, now: number): Bins {
  const fitting = BINS_S.map((seconds) => seconds * 1000).find((ms) => (to - from) / ms <= MAX_BINS);
  const isKept = from >= now - KEEP_SAMPLES_MS;
  const wanted = fitting ?? Math.ceil((to - from) / MAX_BINS / 86_400_000) * 86_400_000;
  const binMs = isKept ? wanted : Math.max(wanted, MINUTE_S * 1000);
  const first = Math.floor(from / binMs) * binMs;
  const count = Math.max(1, Math.ceil((to - first) / binMs));
  const at = Array.from({ length: count }, (_, i) => first + i * binMs);
  return {
    binMs,
    at,
    indexOf: new Map(at.map((start, i) => [start, i])),
    widths: binMs < MINUTE_S * 1000 ? SAMPLE_WIDTHS_S : [MINUTE_S],
  };
}
