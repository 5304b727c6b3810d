/** The known word that a mistyped one is closest to. */

/** Longer names are compared by their beginnings: beyond that nobody mistypes, and the work is bounded. */
const MAX_LENGTH = 60;

/** Edits (insert, drop, change, swap of neighbours) from one to the other, or Infinity above `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(change, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    if (Math.min(...row) > limit) return Number.POSITIVE_INFINITY;
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

/** @returns null when none is close: a third of the letters at most may differ */
export function nearest(word: string, known: Iterable<string>): string | null {
  const wanted = word.slice(0, MAX_LENGTH).toLowerCase();
  let limit = Math.max(1, Math.floor(wanted.length / 3));
  let found: string | null = null;
  for (const candidate of known) {
    const away = distance(wanted, candidate.slice(0, MAX_LENGTH).toLowerCase(), limit);
    if (away <= limit && (found === null || away < limit)) [found, limit] = [candidate, away];
    if (limit === 0) break;
  }
  return found;
}
