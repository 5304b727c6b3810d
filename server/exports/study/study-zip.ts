/** A study's models as one zip, sent as it is read: nothing of it is ever on the hub's disk or in its memory as a whole. */
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { BlobStore } from '../../checkpoints/blob-store.ts';
import { ENTRY } from '../zip-folder.ts';
import type { Bundle } from './bundle.ts';
import { makeManifest } from './manifest.ts';
import { makeModelCard } from './model-card.ts';
import { makeStudyCard } from './study-card.ts';

export interface StudyZip {
  /** Bytes of the whole zip. */
  sizeBytes: number;
  /** What makes it, from now on; errors come out of it. Files are opened one after the other, and closed when it is destroyed. */
  open(): Readable;
}

/** Texts first, so that a zip that breaks off still says what it would have been. */
export function makeStudyZip(bundle: Bundle, blobs: BlobStore, baseUrl: string): StudyZip {
  const zip = new ZipFile();
  const stream = zip.outputStream as Readable;
  const files = new OpenFiles(blobs, stream);
  const { folder, models } = bundle;
  const addText = (name: string, text: string) => zip.addBuffer(Buffer.from(text), `${folder}/${name}`, ENTRY);
  addText('README.md', makeStudyCard(bundle, baseUrl));
  addText('manifest.json', `${JSON.stringify(makeManifest(bundle), null, 2)}\n`);
  for (const model of models) addText(`${model.folder}/README.md`, makeModelCard(bundle, model, baseUrl));
  for (const model of models)
    for (const { name, sha256, sizeBytes } of model.files)
      zip.addReadStreamLazy(`${folder}/${model.folder}/${name}`, { ...ENTRY, size: sizeBytes }, (give) => {
        files.open(sha256).then(
          (file) => give(null, file),
          (error: unknown) => give(error, null as never),
        );
      });
  let sizeBytes = -1;
  const note = (size: number) => {
    sizeBytes = size;
  };
  // Its types leave out what it gives.
  zip.end(undefined, note as () => void);
  // Entries of known length are never compressed here.
  if (sizeBytes < 0) throw new Error('The length of a zip without compression must be known.');
  zip.once('error', (error) => stream.destroy(error as Error));
  return {
    sizeBytes,
    open() {
      files.begin();
      return stream;
    },
  };
}

/** The blobs that the zip is reading: none before it is asked for, none after its end. */
class OpenFiles {
  readonly #blobs: BlobStore;
  readonly #zip: Readable;
  readonly #current = new Set<Readable>();
  readonly #begun: Promise<void>;
  begin: () => void = () => {};

  constructor(blobs: BlobStore, zip: Readable) {
    this.#blobs = blobs;
    this.#zip = zip;
    this.#begun = new Promise((resolve) => {
      this.begin = resolve;
    });
    zip.once('close', () => {
      for (const stream of this.#current) stream.destroy();
    });
  }

  async open(sha256: string): Promise<Readable> {
    await this.#begun;
    if (this.#zip.destroyed) throw new Error('The zip has ended.');
    const blob = await this.#blobs.open(sha256);
    if (!blob) throw new Error(`The file ${sha256} went from the blob store while a zip was being sent.`);
    const stream = await blob.read();
    this.#current.add(stream);
    stream.once('close', () => {
      this.#current.delete(stream);
      void blob.close();
    });
    if (this.#zip.destroyed) stream.destroy();
    return stream;
  }
}
