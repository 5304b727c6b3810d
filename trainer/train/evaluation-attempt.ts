/** An evaluation as a run: the same records, signals and exits as training, without checkpoints; a new attempt begins anew. */
import type { EvaluationConfig } from '@mealtable/protocol/run-config';
import { evaluate, type WeightsToEvaluate } from './evaluation.ts';
import { peakMemory } from './host-memory.ts';
import type { TrainerJob } from './job.ts';
import type { AttemptContext } from './run-attempt.ts';

/** About so often the page shows how far it is. */
const REPORT_MS = 2_000;
/** A line of the log at most this often. */
const LOG_MS = 30_000;

/** Metrics `val/top1`, `val/top5` and `val/loss` are recorded once, at the end. */
export async function runEvaluation({
  job,
  records,
  imageWorkerUrl,
  shouldStop,
}: AttemptContext): Promise<'succeeded' | 'interrupted'> {
  const config = job.grant.config as EvaluationConfig;
  const { inputSize, batchSize, network, preprocessing } = config;
  let total = 0;
  let device: 'cpu' | 'gpu' = 'cpu';
  const begun = { at: 0 };
  const spoke = { reported: 0, logged: 0 };
  const stepsAt = (images: number) => Math.ceil(images / batchSize);
  const source = sourceOf(job);
  const result = await evaluate(
    { datasetPath: job.datasetPath, network, source, inputSize, batchSize, preprocessing, threads: job.threads },
    {
      imageWorkerUrl,
      shouldStop,
      log: (level, line) => records.log(level, line),
      onStart: ({ runtime, dataset, parameterCount }) => {
        total = dataset.splits.val.length;
        device = runtime.device;
        begun.at = spoke.reported = spoke.logged = performance.now();
        records.write({
          kind: 'started',
          stepsCompleted: 0,
          stepsPerEpoch: stepsAt(total),
          totalSteps: stepsAt(total),
          backend: runtime.versionText,
          device: runtime.device,
          parameterCount,
        });
        const what = source.kind === 'file' ? source.what.replace(/^The /, 'the ') : source.weights;
        records.log(
          'info',
          `Evaluating ${what} (${network}, ${parameterCount.toLocaleString('en')} parameters) at ${inputSize} pixels on ${config.dataset}: ${total.toLocaleString('en')} images in ${dataset.classNames.length} classes, crop ${preprocessing.cropFraction.toFixed(3)}, ${preprocessing.interpolation}.`,
        );
      },
      onProgress: (done) => {
        const now = performance.now();
        if (done === total || now - spoke.reported < REPORT_MS) return;
        spoke.reported = now;
        const step = stepsAt(done);
        const speed = (1000 * done) / (now - begun.at);
        records.write({
          kind: 'metrics',
          step,
          epoch: Math.min(1, done / total),
          values: { 'evaluation/images_per_s': speed },
        });
        if (now - spoke.logged < LOG_MS) return;
        spoke.logged = now;
        records.log('info', `${done.toLocaleString('en')} of ${total.toLocaleString('en')} images done.`);
      },
    },
  );
  if (result === null) return 'interrupted';
  const { top1, top5, loss, images, unreadable } = result;
  records.write({
    kind: 'metrics',
    step: stepsAt(total),
    epoch: 1,
    values: {
      'val/top1': top1,
      'val/top5': top5,
      'val/loss': loss,
      ...(unreadable > 0 ? { 'data/unreadable_images': unreadable } : {}),
      ...(await peakMemory(device)),
    },
  });
  records.log(
    'info',
    `Top-1 ${top1.toFixed(2)} %, top-5 ${top5.toFixed(2)} %, loss ${loss.toFixed(4)} over ${images.toLocaleString('en')} images.`,
  );
  return 'succeeded';
}

function sourceOf({ grant, initialisationPath }: TrainerJob): WeightsToEvaluate {
  const { source } = grant.config as EvaluationConfig;
  if (source.kind === 'pretrained') return { kind: 'pretrained', weights: source.weights };
  return {
    kind: 'file',
    what: `The checkpoint ${source.checkpointId} of ${source.runId}`,
    path: initialisationPath!,
    classCount: grant.initialisation!.classCount,
  };
}
