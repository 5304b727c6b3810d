/** How far a run that labels is: part by part through the set, told in metrics and saved in checkpoints. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeId } from '@mealtable/protocol/ids';
import { type CheckpointFile, LABEL_SET_FILE } from '@mealtable/protocol/records';
import { type LabellingConfig, teacherId } from '@mealtable/protocol/run-config';
import type { Runtime } from '../engine/runtime.ts';
import { LABELS_PER_PART, type LabelPart, type LabelParts, listParts, type PartFile } from '../labels/label-parts.ts';
import type { LabelSetFile } from '../labels/label-set-file.ts';
import { linkFile } from '../labels/link-file.ts';
import { pruneCheckpoints } from './checkpoint.ts';
import { ATTEMPT_FILES } from './job.ts';
import type { LabelImages, Piece } from './label-images.ts';
import type { KeyedLabelStore } from './open-stored-labels.ts';
import type { AttemptContext } from './run-attempt.ts';

export interface LabellingLimits {
  /** About so often the page shows how far it is. */
  reportMs: number;
  /** A line of the log at most this often. */
  logMs: number;
  /** So much, and a part, is lost with a host at most. */
  checkpointMs: number;
  labelsPerPart: number;
}
export const LABELLING_LIMITS: LabellingLimits = {
  reportMs: 2_000,
  logMs: 30_000,
  checkpointMs: 60_000,
  labelsPerPart: LABELS_PER_PART,
};

export interface LabellingProgressOptions extends AttemptContext {
  config: LabellingConfig;
  runtime: Runtime;
  parts: LabelParts;
  store: KeyedLabelStore;
  images: LabelImages;
}

export class LabellingProgress {
  readonly #options: LabellingProgressOptions;
  readonly #limits: LabellingLimits;
  readonly #set: LabelSetFile;
  readonly #imageCount: number;
  readonly #parts: readonly LabelPart[];
  /** What earlier attempts have told already. */
  readonly #startStep: number;
  readonly #files: PartFile[] = [];
  #steps = 0;
  #passed = 0;
  /** Of the parts that are files. */
  #saved = { steps: 0, passed: 0 };
  #reportedAt = performance.now();
  #loggedAt = performance.now();
  #savedAt = performance.now();

  constructor(options: LabellingProgressOptions) {
    this.#options = options;
    this.#limits = { ...LABELLING_LIMITS, ...options.labellingLimits };
    const { config, store, job } = options;
    const { viewsPerImage } = config.softLabels;
    this.#set = { version: 1, key: store.key, viewsPerImage };
    this.#imageCount = store.key.dataset.imageCount;
    this.#parts = listParts(this.#imageCount, viewsPerImage, this.#limits.labelsPerPart);
    this.#startStep = job.grant.resume?.stepsCompleted ?? 0;
  }

  async run(): Promise<'succeeded' | 'interrupted'> {
    const { parts, store, images, shouldStop } = this.#options;
    this.#begin();
    for (const part of this.#parts) {
      if (shouldStop()) return this.#interrupt();
      const pieces = this.#piecesOf(part);
      let file = parts.find(part);
      if (file !== null) for (const piece of pieces) this.#pass(piece);
      else {
        const isDone = await images.fill(pieces, (piece) => {
          this.#pass(piece);
          return !shouldStop();
        });
        if (!isDone) return this.#interrupt();
        file = parts.write(part, (places, views) => store.cache.records(places, views));
        store.cache.dropOwn(part.name);
      }
      this.#files.push(file);
      this.#saved = { steps: this.#steps, passed: this.#passed };
      if (performance.now() - this.#savedAt >= this.#limits.checkpointMs) await this.#save();
    }
    await this.#save();
    return 'succeeded';
  }

  /** Records where the run stands, with `more` metrics. */
  report(more: Record<string, number> = {}): void {
    const { records, images } = this.#options;
    this.#reportedAt = performance.now();
    const values = { 'labels/coverage': (100 * this.#passed) / this.#total, ...images.takeMetrics(), ...more };
    // What lies before the checkpoint that this attempt goes on from has been told.
    if (this.#steps >= this.#startStep)
      records.write({ kind: 'metrics', step: this.#steps, epoch: this.#passed / this.#imageCount, values });
  }

  get #total(): number {
    return this.#imageCount * this.#set.viewsPerImage;
  }

  #begin(): void {
    const { records, runtime, config, store } = this.#options;
    const { viewsPerImage } = this.#set;
    const totalSteps = this.#parts.reduce((sum, part) => sum + this.#piecesOf(part).length, 0);
    records.write({
      kind: 'started',
      stepsCompleted: this.#startStep,
      stepsPerEpoch: Math.max(1, Math.round(totalSteps / viewsPerImage)),
      totalSteps,
      backend: runtime.versionText,
      device: runtime.device,
      parameterCount: 0,
    });
    const there = store.cache.coverage(viewsPerImage).labelled.toLocaleString('en');
    records.log(
      'info',
      `Labelling with ${config.teachers.map(teacherId).join(' + ')} at ${config.inputSize} pixels on ${config.dataset}: ${this.#imageCount.toLocaleString('en')} images in ${store.key.classCount} classes, ${viewsPerImage} views of each. This host has ${there} of the ${this.#total.toLocaleString('en')} labels.`,
    );
  }

  /** The part in steps: views one after the other, in batches. */
  #piecesOf({ first, end }: LabelPart): Piece[] {
    const { batchSize } = this.#options.config;
    const pieces: Piece[] = [];
    for (let number = first; number < end; ) {
      const view = Math.floor(number / this.#imageCount);
      const begin = number - view * this.#imageCount;
      const count = Math.min(batchSize, this.#imageCount - begin, end - number);
      pieces.push({ view, begin, end: begin + count });
      number += count;
    }
    return pieces;
  }

  #pass({ begin, end }: Piece): void {
    this.#steps++;
    this.#passed += end - begin;
    const now = performance.now();
    if (now - this.#reportedAt >= this.#limits.reportMs) this.report();
    if (now - this.#loggedAt < this.#limits.logMs) return;
    this.#loggedAt = now;
    const [passed, total] = [this.#passed.toLocaleString('en'), this.#total.toLocaleString('en')];
    this.#options.records.log('info', `${passed} of ${total} labels are there.`);
  }

  async #interrupt(): Promise<'interrupted'> {
    const isCancelled = existsSync(join(this.#options.attemptDir, ATTEMPT_FILES.cancel));
    if (!isCancelled && this.#files.length > 0) await this.#save();
    return 'interrupted';
  }

  /** A checkpoint of the parts that are done. The folder is whole before the record names it. */
  async #save(): Promise<void> {
    const { attemptDir, parts, records } = this.#options;
    const checkpointId = makeId('checkpoint', Date.now(), randomBytes(12));
    const checkpoints = join(attemptDir, ATTEMPT_FILES.checkpoints);
    const folder = join(checkpoints, checkpointId);
    mkdirSync(folder, { recursive: true });
    for (const file of this.#files) linkFile(parts.pathOf(file), join(folder, file.name));
    const text = JSON.stringify(this.#set);
    writeFileSync(join(folder, LABEL_SET_FILE), text);
    const described: CheckpointFile = {
      name: LABEL_SET_FILE,
      sha256: createHash('sha256').update(text).digest('hex'),
      sizeBytes: Buffer.byteLength(text),
    };
    records.write({
      kind: 'checkpoint',
      checkpointId,
      stepsCompleted: this.#saved.steps,
      epoch: this.#saved.passed / this.#imageCount,
      top1: null,
      isBest: false,
      files: [described, ...this.#files],
    });
    this.#savedAt = performance.now();
    await pruneCheckpoints(checkpoints, new Set([checkpointId]));
  }
}
