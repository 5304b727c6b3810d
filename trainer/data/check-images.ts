/**
 * Program: decodes some images of a dataset and prints sentences about those it cannot, as a JSON list. A process of its own, as
 * a decoder that a hostile file brings down must not take the agent with it.
 * `node dist/check-images.js FOLDER`
 */
import { MAX_UNREADABLE_SHARE } from '@mealtable/protocol/tunables';
import { type ImageSplit, SPLITS } from './dataset.ts';
import { decodeImage } from './decode.ts';
import { datasetCacheFolder, openDataset } from './open-dataset.ts';
import { readImage } from './read-image.ts';

/** Of each split, spread evenly. */
const SAMPLE_SIZE = 64;
/**
 * With 5 % unreadable, the most that is tolerated, a sample of 64 has more than 9 (14 %) once in 500 times: more than this
 * many times that share means that there are too many.
 */
const CERTAINTY_FACTOR = 3;
const NAMES_SHOWN = 3;

async function findUnreadable(split: ImageSplit): Promise<{ checked: number; failures: string[] }> {
  const checked = Math.min(SAMPLE_SIZE, split.length);
  const failures: string[] = [];
  for (let i = 0; i < checked; i++) {
    const place = Math.floor((i * split.length) / checked);
    try {
      await decodeImage(await readImage(split.locate(place)));
    } catch (error) {
      failures.push(`${split.describe(place)} (${(error as Error).message.split('\n')[0]})`);
    }
  }
  return { checked, failures };
}

const dataset = await openDataset(process.argv[2]!, datasetCacheFolder(process.env));
const problems: string[] = [];
for (const name of SPLITS) {
  const split = dataset.splits[name];
  const { checked, failures } = await findUnreadable(split);
  const tolerated = MAX_UNREADABLE_SHARE * checked * (checked === split.length ? 1 : CERTAINTY_FACTOR);
  if (failures.length > tolerated)
    problems.push(
      `${failures.length} of ${checked} images looked at in ${name}/ cannot be read. Replace or remove them, for example ${failures.slice(0, NAMES_SHOWN).join(', ')}.`,
    );
}
process.stdout.write(JSON.stringify(problems));
