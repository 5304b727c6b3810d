/** Seeds as typed or pasted: "0, 1, 2", "0 1 2", "3-7". */
import { Seed } from '@mealtable/protocol/run-config';

export type ParsedSeeds = { ok: true; seeds: number[] } | { ok: false; message: string };

/** A slip in a range must not make a list that the page cannot hold. */
const MAX_AT_ONCE = 500;

export function parseSeeds(text: string): ParsedSeeds {
  const seeds: number[] = [];
  for (const word of text.split(/[\s,;]+/).filter(Boolean)) {
    const range = /^(\d+)\s*(?:-|–|\.\.)\s*(\d+)$/.exec(word);
    const [from, to] = range ? [Number(range[1]), Number(range[2])] : [Number(word), Number(word)];
    for (const end of [from, to]) {
      const parsed = Seed.safeParse(end);
      if (!parsed.success) {
        const why = Number.isNaN(end) ? 'A seed is a whole number.' : parsed.error.issues[0]?.message;
        return { ok: false, message: `“${word}”: ${why}` };
      }
    }
    if (to < from) return { ok: false, message: `“${word}”: a range goes from the smaller to the larger seed.` };
    if (seeds.length + (to - from) >= MAX_AT_ONCE)
      return { ok: false, message: `At most ${MAX_AT_ONCE} seeds at once.` };
    for (let seed = from; seed <= to; seed++) seeds.push(seed);
  }
  return seeds.length > 0 ? { ok: true, seeds } : { ok: false, message: 'Give at least one seed.' };
}

/** Adds what is not there yet, in the order given. */
export const addSeeds = (seeds: readonly number[], more: readonly number[]): number[] => [
  ...new Set([...seeds, ...more]),
];

/**
 * The first `count` seeds from 0 on, whatever gaps the kept ones have.
 * @param kept seeds that must stay: those of an existing study
 */
export function countedSeeds(count: number, kept: readonly number[]): number[] {
  const seeds = [...kept];
  for (let seed = 0; seeds.length < count; seed++) if (!seeds.includes(seed)) seeds.push(seed);
  return seeds;
}
