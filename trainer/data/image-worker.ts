/**
 * Thread that turns image files into pixels while the main thread computes steps. Decoded images are kept up to a
 * limit, so that small datasets are decoded once per run and not once per epoch.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Rng } from '../engine/rng.ts';
import { centreView, randomView, type Views } from './augment.ts';
import type { ImageLocation } from './dataset.ts';
import { decodeImage } from './decode.ts';
import { openJpeg } from './jpeg.ts';
import { readImage } from './read-image.ts';
import { renderJpegViews, renderView, type ViewTarget } from './render-view.ts';
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
  /** Sides of what is wanted of each view: the same crop, resized to each of them from the image itself. */
  sizes: readonly number[];
}
export interface RenderReply {
  id: number;
  /** For each size one image after the other, size x size x 3; an unreadable image leaves zeros. */
  pixels: Uint8Array<ArrayBuffer>[];
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

  /** Writes the image's views to where `targetsOf` an image so large says. */
  async function renderImage(
    location: ImageLocation,
    targetsOf: (width: number, height: number) => ViewTarget[],
  ): Promise<void> {
    const { interpolation } = views;
    let image = kept.get(keyOf(location));
    if (!image) {
      const file = await readImage(location);
      // An image that will not be kept need not be decoded outside of its view.
      const size = openJpeg(file);
      if (size && size.width * size.height * size.channels > bytesLeft) {
        if (renderJpegViews(size, targetsOf(size.width, size.height), interpolation)) return;
      }
      image = await decodeImage(file);
      if (image.data.length <= bytesLeft) keep(location, image);
    }
    for (const { view, out, offset } of targetsOf(image.width, image.height))
      renderView(image, view, interpolation, out, offset);
  }

  async function render({ id, places, locations, epoch, sizes }: RenderRequest): Promise<void> {
    const pixels = sizes.map((size) => new Uint8Array(locations.length * size ** 2 * 3));
    const failures: (string | null)[] = locations.map(() => null);
    let next = 0;
    const drain = async () => {
      for (let i = next++; i < locations.length; i = next++) {
        const viewOf = (width: number, height: number, inputSize: number) =>
          epoch === null
            ? centreView(width, height, { ...views, inputSize })
            : randomView(rng.stream('view', epoch, places[i]!), width, height, inputSize);
        const targetsOf = (width: number, height: number) =>
          sizes.map((size, k) => ({ view: viewOf(width, height, size), out: pixels[k]!, offset: i * size ** 2 * 3 }));
        await renderImage(locations[i]!, targetsOf).catch((error: Error) => {
          failures[i] = error.message.split('\n')[0]!;
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(IMAGES_AT_ONCE, locations.length) }, drain));
    port.postMessage(
      { id, pixels, failures } satisfies RenderReply,
      pixels.map(({ buffer }) => buffer),
    );
  }

  // Requests are answered one after the other; null ends the thread once everything before it has been answered.
  let queue = Promise.resolve();
  port.on('message', (request: RenderRequest | null) => {
    queue = queue.then(() => (request === null ? port.close() : render(request)));
  });
}

startWorker(parentPort!, workerData as ImageWorkerData);
