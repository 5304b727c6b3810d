/**
 * Thread that turns image files into pixels while the main thread computes steps. Decoded images are kept up to a
 * limit, so that small datasets are decoded once per run and not once per epoch.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Rng } from '../engine/rng.ts';
import { centreView, randomView, type Views } from './augment.ts';
import type { ImageLocation } from './dataset.ts';
import { decodeImage } from './decode.ts';
import { readImage } from './read-image.ts';
import { renderView } from './render-view.ts';
import type { RawImage } from './resample.ts';

export interface ImageWorkerData {
  seed: number;
  views: Views;
  cacheBytes: number;
}
export interface RenderRequest {
  id: number;
  /** Places of the images in their split; the random view of an image is a function of (seed, place, epoch) alone. */
  places: number[];
  locations: ImageLocation[];
  /** 0-based epoch of the random views, null for validation's centre view. */
  epoch: number | null;
}
export interface RenderReply {
  id: number;
  /** One image after the other, inputSize x inputSize x 3; an unreadable image leaves zeros. */
  pixels: Uint8Array<ArrayBuffer>;
  /** Null, or why the image at this position could not be read. */
  failures: (string | null)[];
}

/** Decodes in flight per thread: enough to keep sharp's threads busy. */
const DECODES_AT_ONCE = 8;

function startWorker(port: MessagePort, { seed, views, cacheBytes }: ImageWorkerData): void {
  const rng = Rng.seeded(seed);
  const kept = new Map<string, RawImage>();
  let bytesLeft = cacheBytes;

  async function load(location: ImageLocation): Promise<RawImage> {
    const key = `${location.path}@${location.offset}`;
    const known = kept.get(key);
    if (known) return known;
    const image = await decodeImage(await readImage(location));
    if (image.data.length <= bytesLeft) {
      bytesLeft -= image.data.length;
      kept.set(key, image);
    }
    return image;
  }

  async function render({ id, places, locations, epoch }: RenderRequest): Promise<void> {
    const imageLength = views.inputSize ** 2 * 3;
    const pixels = new Uint8Array(locations.length * imageLength);
    const failures: (string | null)[] = locations.map(() => null);
    let next = 0;
    const drain = async () => {
      for (let i = next++; i < locations.length; i = next++) {
        const image = await load(locations[i]!).catch((error: Error) => {
          failures[i] = error.message.split('\n')[0]!;
          return null;
        });
        if (image === null) continue;
        const { width, height } = image;
        const view =
          epoch === null
            ? centreView(width, height, views)
            : randomView(rng.stream('view', epoch, places[i]!), width, height, views.inputSize);
        renderView(image, view, views.interpolation, pixels, i * imageLength);
      }
    };
    await Promise.all(Array.from({ length: Math.min(DECODES_AT_ONCE, locations.length) }, drain));
    port.postMessage({ id, pixels, failures } satisfies RenderReply, [pixels.buffer]);
  }

  // Requests are answered one after the other; null ends the thread once everything before it has been answered.
  let queue = Promise.resolve();
  port.on('message', (request: RenderRequest | null) => {
    queue = queue.then(() => (request === null ? port.close() : render(request)));
  });
}

startWorker(parentPort!, workerData as ImageWorkerData);
