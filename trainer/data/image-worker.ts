/**
 * Thread that turns image files into pixels while the main thread computes steps. Decoded images are kept up to a
 * limit, so that small datasets are decoded once per run and not once per epoch.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Rng } from '../engine/rng.ts';
import { centreView, randomView, type View, type Views } from './augment.ts';
import type { ImageLocation } from './dataset.ts';
import { decodeImage } from './decode.ts';
import { openJpeg } from './jpeg.ts';
import { readImage } from './read-image.ts';
import { renderJpegView, renderView } from './render-view.ts';
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

/** In flight per thread: files that are on their way from the disk while one is decoded. */
const IMAGES_AT_ONCE = 8;

function startWorker(port: MessagePort, { seed, views, cacheBytes }: ImageWorkerData): void {
  const rng = Rng.seeded(seed);
  const kept = new Map<string, RawImage>();
  let bytesLeft = cacheBytes;

  const keyOf = ({ path, offset }: ImageLocation) => `${path}@${offset}`;

  function keep(location: ImageLocation, image: RawImage): void {
    bytesLeft -= image.data.length;
    kept.set(keyOf(location), image);
  }

  /** Writes the image's view into `pixels` from `offset` on. */
  async function renderImage(
    location: ImageLocation,
    viewOf: (width: number, height: number) => View,
    pixels: Uint8Array,
    offset: number,
  ): Promise<void> {
    let image = kept.get(keyOf(location));
    if (!image) {
      const file = await readImage(location);
      // An image that will not be kept need not be decoded outside of its view.
      const size = openJpeg(file);
      if (size && size.width * size.height * size.channels > bytesLeft) {
        const view = viewOf(size.width, size.height);
        if (renderJpegView(size, view, views.interpolation, pixels, offset)) return;
      }
      image = await decodeImage(file);
      if (image.data.length <= bytesLeft) keep(location, image);
    }
    renderView(image, viewOf(image.width, image.height), views.interpolation, pixels, offset);
  }

  async function render({ id, places, locations, epoch }: RenderRequest): Promise<void> {
    const imageLength = views.inputSize ** 2 * 3;
    const pixels = new Uint8Array(locations.length * imageLength);
    const failures: (string | null)[] = locations.map(() => null);
    let next = 0;
    const drain = async () => {
      for (let i = next++; i < locations.length; i = next++) {
        const viewOf = (width: number, height: number) =>
          epoch === null
            ? centreView(width, height, views)
            : randomView(rng.stream('view', epoch, places[i]!), width, height, views.inputSize);
        await renderImage(locations[i]!, viewOf, pixels, i * imageLength).catch((error: Error) => {
          failures[i] = error.message.split('\n')[0]!;
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(IMAGES_AT_ONCE, locations.length) }, drain));
    port.postMessage({ id, pixels, failures } satisfies RenderReply, [pixels.buffer]);
  }

  // Requests are answered one after the other; null ends the thread once everything before it has been answered.
  let queue = Promise.resolve();
  port.on('message', (request: RenderRequest | null) => {
    queue = queue.then(() => (request === null ? port.close() : render(request)));
  });
}

startWorker(parentPort!, workerData as ImageWorkerData);
