/** `npm run evaluate`: measures published weights or a checkpoint on this machine, without a hub. */
import { TRAINER_EXIT } from '@mealtable/protocol/records';
import { evaluate } from '../train/evaluation.ts';
import { describeFailure, isUnexpected } from '../train/run-failure.ts';
import { type Evaluate, readOptions, USAGE, UsageError } from './options.ts';
import { formatResult } from './report.ts';

const USAGE_EXIT = 2;
const SPEAK_MS = 10_000;

/** 0 with the result on stdout; otherwise one sentence on stderr. What goes on meanwhile is said there, too. */
async function main(args: readonly string[]): Promise<number> {
  let wanted: Evaluate | null;
  try {
    wanted = readOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
    return USAGE_EXIT;
  }
  if (wanted === null) {
    console.log(USAGE);
    return 0;
  }
  try {
    return await run(wanted);
  } catch (error) {
    if (isUnexpected(error)) say((error as Error).stack ?? '');
    say(describeFailure(error).message);
    return TRAINER_EXIT.failed;
  }
}

async function run({ order, name, json }: Evaluate): Promise<number> {
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      stopped = true;
    });
  let total = 0;
  let spoke = performance.now();
  const result = await evaluate(order, {
    imageWorkerUrl: new URL('./image-worker.js', import.meta.url),
    shouldStop: () => stopped,
    log: (_level, line) => say(line),
    onStart: ({ runtime, dataset, parameterCount }) => {
      total = dataset.splits.val.length;
      spoke = performance.now();
      const { cropFraction, interpolation } = order.preprocessing;
      say(
        `${name} (${order.network}, ${parameterCount.toLocaleString('en')} parameters) at ${order.inputSize} pixels, crop ${cropFraction.toFixed(3)}, ${interpolation}, on ${total.toLocaleString('en')} images in ${dataset.classNames.length} classes; ${runtime.versionText}, ${runtime.device}.`,
      );
    },
    onProgress: (done) => {
      if (done === total || performance.now() - spoke < SPEAK_MS) return;
      spoke = performance.now();
      say(`${done.toLocaleString('en')} of ${total.toLocaleString('en')} images done.`);
    },
  });
  if (result === null) {
    say('Stopped before the end. Start it again; it begins anew.');
    return TRAINER_EXIT.interrupted;
  }
  const { network, inputSize, preprocessing } = order;
  console.log(
    json ? JSON.stringify({ name, network, inputSize, preprocessing, ...result }) : formatResult(order, result),
  );
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
