/** The threads that load images. Work is dealt out by place, so that each thread's kept images are the ones it is asked for. */
import { Worker } from 'node:worker_threads';
import type { Views } from './augment.ts';
import type { ImageLocation } from './dataset.ts';
import type { ImageWorkerData, RenderReply, RenderRequest } from './image-worker.ts';

export interface ImagePoolOptions {
  /** The bundled program of image-worker.ts: threads cannot run TypeScript. */
  workerUrl: URL;
  seed: number;
  views: Views;
  threads: number;
  /** Memory for decoded images, over all threads. */
  cacheBytes: number;
}

export interface Rendered {
  /** images x size x size x 3, at the first size. */
  pixels: Uint8Array<ArrayBuffer>;
  /** The same crops at each further size. */
  more: Uint8Array<ArrayBuffer>[];
  /** Null, or why the image at this position is unreadable (its pixels are zeros then). */
  failures: (string | null)[];
}

interface Pending {
  resolve: (reply: RenderReply) => void;
  reject: (error: Error) => void;
}

export class ImagePool {
  readonly #threads: WorkerThread[];
  readonly #inputSize: number;

  constructor({ workerUrl, seed, views, threads, cacheBytes }: ImagePoolOptions) {
    this.#inputSize = views.inputSize;
    const data: ImageWorkerData = { seed, views, cacheBytes: Math.floor(cacheBytes / threads) };
    this.#threads = Array.from({ length: threads }, () => new WorkerThread(workerUrl, data));
  }

  /**
   * Loads view `epoch` of the images at `places`, which lie at `locations`. Null gives validation's centre views.
   * @param sizes sides of the square inputs that are wanted of each view, the pool's own unless given
   */
  async render(
    places: number[],
    locations: ImageLocation[],
    epoch: number | null,
    sizes: readonly number[] = [this.#inputSize],
  ): Promise<Rendered> {
    if (this.#threads.length === 1) return toRendered(await this.#threads[0]!.render(places, locations, epoch, sizes));
    const positions = this.#threads.map((_, t) =>
      places.flatMap((place, i) => (place % this.#threads.length === t ? [i] : [])),
    );
    const replies = await Promise.all(
      this.#threads.map((thread, t) =>
        thread.render(
          positions[t]!.map((i) => places[i]!),
          positions[t]!.map((i) => locations[i]!),
          epoch,
          sizes,
        ),
      ),
    );
    const lengths = sizes.map((size) => size ** 2 * 3);
    const pixels = lengths.map((length) => new Uint8Array(places.length * length));
    const failures: (string | null)[] = places.map(() => null);
    for (const [t, reply] of replies.entries()) {
      for (const [k, i] of positions[t]!.entries()) {
        for (const [s, length] of lengths.entries())
          pixels[s]!.set(reply.pixels[s]!.subarray(k * length, (k + 1) * length), i * length);
        failures[i] = reply.failures[k]!;
      }
    }
    return toRendered({ pixels, failures });
  }

  /** Ends the threads after what they are doing. Nothing may be asked afterwards. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

function toRendered({ pixels, failures }: Pick<RenderReply, 'pixels' | 'failures'>): Rendered {
  const [first, ...more] = pixels;
  return { pixels: first!, more, failures };
}

class WorkerThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #lastId = 0;
  #death: Error | null = null;

  constructor(url: URL, data: ImageWorkerData) {
    this.#worker = new Worker(url, { workerData: data });
    this.#worker.on('message', (reply: RenderReply) => {
      this.#pending.get(reply.id)?.resolve(reply);
      this.#pending.delete(reply.id);
    });
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))));
    this.#exited = new Promise((resolve) =>
      this.#worker.on('exit', () => {
        this.#die(new Error('An image-loading thread ended unexpectedly.'));
        resolve();
      }),
    );
  }

  render(
    places: number[],
    locations: ImageLocation[],
    epoch: number | null,
    sizes: readonly number[],
  ): Promise<RenderReply> {
    if (this.#death) return Promise.reject(this.#death);
    const request: RenderRequest = { id: ++this.#lastId, places, locations, epoch, sizes };
    return new Promise((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    this.#worker.postMessage(null);
    await this.#exited;
  }

  #die(error: Error): void {
    this.#death ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#death);
    this.#pending.clear();
  }
}
