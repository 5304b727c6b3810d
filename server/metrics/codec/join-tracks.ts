import type { Rows } from './rows.ts';
import { lengthOf, type Track } from './track.ts';

/** @param tracks by seq @returns one for each set of series, whatever their order was, with all of its records */
export function joinTracks(tracks: readonly Track<number>[]): Track<number>[] {
  const sets = new Map<string, Track<number>[]>();
  for (const track of tracks) {
    const key = track.metrics.toSorted((a, b) => a - b).join();
    const same = sets.get(key);
    if (same) same.push(track);
    else sets.set(key, [track]);
  }
  return [...sets.values()].map(joinSame);
}

function joinSame(tracks: readonly Track<number>[]): Track<number> {
  const metrics = tracks[0]!.metrics.toSorted((a, b) => a - b);
  const total = tracks.reduce((sum, track) => sum + lengthOf(track), 0);
  const rowsOf = (name: keyof Rows) => concat(total, tracks, (track) => track.rows[name]);
  return {
    metrics,
    rows: { seq: rowsOf('seq'), step: rowsOf('step'), at: rowsOf('at'), epoch: rowsOf('epoch') },
    columns: metrics.map((id) => concat(total, tracks, (track) => track.columns[track.metrics.indexOf(id)]!)),
  };
}

function concat(
  total: number,
  tracks: readonly Track<number>[],
  pick: (track: Track<number>) => Float64Array,
): Float64Array {
  const joined = new Float64Array(total);
  let offset = 0;
  for (const track of tracks) {
    const part = pick(track);
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
