/**
 * npm run bench:data: images decoded and augmented a second and core, ours beside torchvision with Pillow on the same files,
 * round by round in turn. Both are given one thread and measured by the processor time that their process takes, so that a
 * machine's other work counts little. The last line is the result as JSON.
 * `--python FILE` (a Python with torchvision), `--rounds N`, `--images N`, `--size N`
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTrainer } from '../../test/support/bundle.ts';
import { pythonWith } from '../../test/support/python.ts';
import { REFERENCE_VIEWS } from '../../trainer/data/augment.ts';
import { ImagePool } from '../../trainer/data/image-pool.ts';
import { makePhotos, PHOTO } from './make-photos.ts';
import { Peer } from './peer.ts';

/** Per core, against the peer that goes as far as numbers for the network, as its users' loaders do. */
const BAR = 1.5;
const RECIPES = ['train', 'validation'] as const;

const { values: flags } = parseArgs({
  options: {
    python: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    images: { type: 'string', default: '128' },
    size: { type: 'string', default: '224' },
  },
});
const [rounds, images, inputSize] = [flags.rounds, flags.images, flags.size].map(Number) as [number, number, number];
const python = flags.python ?? (await pythonWith(['torch', 'torchvision', 'pillow']));
if (python === null) process.exit(1);

const folder = mkdtempSync(join(tmpdir(), 'bench-data-'));
const programs = await bundleTrainer();
const views = { inputSize, ...REFERENCE_VIEWS };
// One thread, and no memory for images: every one is decoded every time.
const pool = new ImagePool({ workerUrl: programs.imageWorkerUrl, seed: 1, views, threads: 1, cacheBytes: 0 });
try {
  const paths = await makePhotos(folder, images);
  const kilobytes = paths.reduce((sum, path) => sum + statSync(path).size, 0) / paths.length / 1024;
  const peer = await Peer.start(python, inputSize);
  console.log(
    `${images} JPEG files of ${PHOTO.width} x ${PHOTO.height}, quality ${PHOTO.quality}, ${kilobytes.toFixed(0)} KiB on average, to ${inputSize} pixels, on ${cpus()[0]?.model}; torchvision ${peer.versions.torchvision}, Pillow ${peer.versions.pillow}`,
  );
  const results = [];
  for (const recipe of RECIPES) results.push(await compare(recipe, paths, peer));
  await peer.stop();
  const passes = results.every(({ ratio }) => ratio >= BAR);
  console.log(JSON.stringify({ bench: 'data', inputSize, kilobytes, rounds, bar: BAR, passes, results }));
} finally {
  await pool.close();
  await programs.remove();
  rmSync(folder, { recursive: true });
}

async function compare(recipe: (typeof RECIPES)[number], paths: string[], peer: Peer) {
  const seconds = { ours: [] as number[], peer: [] as number[], peerBytes: [] as number[] };
  // The first round warms both up and does not count.
  for (let round = 0; round <= rounds; round++) {
    const ours = await measureOurs(paths, recipe === 'train' ? round : null);
    const toNumbers = await peer.measure(recipe, paths);
    const toBytes = await peer.measure(`${recipe}, bytes`, paths);
    if (round === 0) continue;
    seconds.ours.push(ours);
    seconds.peer.push(toNumbers);
    seconds.peerBytes.push(toBytes);
  }
  const perSecond = (list: number[]) => paths.length / median(list);
  const ratios = seconds.ours.map((ours, i) => seconds.peer[i]! / ours);
  const bytesRatios = seconds.ours.map((ours, i) => seconds.peerBytes[i]! / ours);
  const result = {
    recipe,
    imagesPerSecondAndCore: perSecond(seconds.ours),
    peerImagesPerSecondAndCore: perSecond(seconds.peer),
    ratio: median(ratios),
    peerBytesImagesPerSecondAndCore: perSecond(seconds.peerBytes),
    bytesRatio: median(bytesRatios),
  };
  console.log(
    `${recipe}: ${result.imagesPerSecondAndCore.toFixed(0)} images/s per core; torchvision ${result.peerImagesPerSecondAndCore.toFixed(0)} (${result.ratio.toFixed(2)}x), without its conversion to numbers ${result.peerBytesImagesPerSecondAndCore.toFixed(0)} (${result.bytesRatio.toFixed(2)}x)`,
  );
  return result;
}

/** Processor time of all threads of this process. */
async function measureOurs(paths: string[], epoch: number | null): Promise<number> {
  const locations = paths.map((path) => ({ path, offset: 0, length: null }));
  const begin = process.cpuUsage();
  const { failures } = await pool.render([...paths.keys()], locations, epoch);
  const { user, system } = process.cpuUsage(begin);
  const failure = failures.find((reason) => reason !== null);
  if (failure) throw new Error(failure);
  return (user + system) / 1e6;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
