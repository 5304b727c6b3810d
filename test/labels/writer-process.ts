/**
 * A process that uses a label cache as runs do: it looks a batch up, labels what is missing, and checks every row. It says
 * `writing` once it has, and goes on until its rounds are done, it is killed or a minute is over. Exit 1: a wrong row, said
 * on the error output. Arguments: folder, seed, rounds.
 */
import { Rng } from '../../trainer/engine/rng.ts';
import { openLabelCache } from '../../trainer/labels/label-cache.ts';
import type { LabelRows } from '../../trainer/labels/record-codec.ts';
import { PROCESS_KEY, PROCESS_VIEWS } from './process-key.ts';
import { IMAGE_COUNT, labelsOf, range, storedLabelsOf } from './support.ts';

const [folder, seed, rounds] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const rng = Rng.seeded(seed);
const cache = openLabelCache(folder, PROCESS_KEY, { writable: true });

function requireRight(rows: LabelRows, places: number[], views: number[], positions: number[]): void {
  const stored = storedLabelsOf(PROCESS_KEY, places, views);
  const { classCount } = PROCESS_KEY;
  for (const i of positions)
    for (let c = i * classCount; c < (i + 1) * classCount; c++)
      if (rows.probabilities[c] !== stored.probabilities[c] || rows.meanLogits![c] !== stored.meanLogits![c]) {
        console.error(`Wrong label of image ${places[i]}, view ${views[i]}.`);
        process.exit(1);
      }
}

/** Nobody may be left behind where the test that would kill it died. */
const deadline = Date.now() + 60_000;
let hasWritten = false;
for (let round = 0; round < rounds && Date.now() < deadline; round++) {
  const count = 1 + rng.integer(40);
  const places = range(count).map(() => rng.integer(IMAGE_COUNT));
  const views = range(count).map(() => rng.integer(PROCESS_VIEWS));
  const { missing, ...rows } = cache.lookup(places, views);
  const isMissing = new Set(missing);
  requireRight(
    rows,
    places,
    views,
    range(count).filter((i) => !isMissing.has(i)),
  );
  // Some label everything again, so that there are always blocks being written.
  const positions = rng.uniform() < 0.5 ? missing : range(count);
  if (positions.length === 0) continue;
  const [newPlaces, newViews] = [positions.map((i) => places[i]!), positions.map((i) => views[i]!)];
  const appended = cache.append(newPlaces, newViews, labelsOf(PROCESS_KEY, newPlaces, newViews));
  requireRight(appended, newPlaces, newViews, range(positions.length));
  if (!hasWritten) console.log('writing');
  hasWritten = true;
}
cache.close();
