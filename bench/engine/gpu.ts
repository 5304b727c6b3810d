/**
 * Training on a GPU: our captured step beside PyTorch's, both resident on the same card, turn by turn.
 * `node --import tsx bench/engine/gpu.ts --python PATH`; one JSON line per case, the last line all of them.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type GpuJob, parseGpuCase } from './gpu-job.ts';
import { GpuProcess, type GpuTurn } from './gpu-process.ts';
import { ratiosByRound, spreadOf, stepsFor } from './statistics.ts';
import { LEARNING_RATE, SGD_OPTIONS } from './steps.ts';

const DEFAULT_CASES = 'bfloat16:64,bfloat16:256,float32:64,float32:256,bfloat16:256:fed';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: DEFAULT_CASES },
    network: { type: 'string', default: 'resnet50' },
    size: { type: 'string', default: '224' },
    classes: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    python: { type: 'string', default: 'python3' },
    /** Scripts of both sides, where they do not lie beside this one. */
    contender: { type: 'string', default: path.join(import.meta.dirname, 'gpu-contender.ts') },
    peer: { type: 'string', default: path.join(import.meta.dirname, 'peers', 'gpu_train.py') },
    /** Results and both sides' error output. */
    out: { type: 'string', default: path.join(tmpdir(), 'mealtable-bench-gpu') },
    only: { type: 'string', default: 'ours,pytorch' },
    compile: { type: 'boolean', default: false },
  },
});

type Side = 'ours' | 'pytorch';
const rounds = Number(values.rounds);
const turnSeconds = Number(values.seconds);
const sides = values.only.split(',') as Side[];
mkdirSync(values.out, { recursive: true });

function start(side: Side, id: string, job: GpuJob): GpuProcess {
  const [file, ...args] =
    side === 'ours' ? [process.execPath, ...process.execArgv, values.contender] : [values.python, values.peer];
  const log = path.join(values.out, `${id}-${side}.log`.replaceAll(':', '-'));
  return new GpuProcess(file!, [...args, JSON.stringify(job)], log);
}

async function measure(id: string): Promise<object> {
  const job: GpuJob = {
    ...parseGpuCase(id),
    network: values.network,
    classes: Number(values.classes),
    inputSize: Number(values.size),
    learningRate: LEARNING_RATE,
    momentum: SGD_OPTIONS.momentum,
    cacheFolder: path.join(values.out, 'graphs'),
    compile: values.compile,
  };
  const started = sides.map((side) => ({ side, contender: start(side, id, job) }));
  try {
    const ready = await Promise.all(started.map(({ contender }) => contender.ready()));
    const steps = new Map<Side, number>();
    const rates = new Map<Side, number[]>(sides.map((side) => [side, []]));
    const last = new Map<Side, GpuTurn>();
    for (const { side, contender } of started) {
      await contender.turn(5);
      steps.set(side, stepsFor(turnSeconds, (await contender.turn(5)).seconds / 5));
    }
    for (let round = 0; round < rounds; round++) {
      for (const { side, contender } of started) {
        const turn = await contender.turn(steps.get(side)!);
        rates.get(side)!.push((steps.get(side)! * job.batch) / turn.seconds);
        last.set(side, turn);
      }
    }
    const imagesPerSecond = Object.fromEntries(sides.map((side) => [side, spreadOf(rates.get(side)!)]));
    const [ours, pytorch] = [rates.get('ours'), rates.get('pytorch')];
    const ratio = ours && pytorch ? spreadOf(ratiosByRound(ours, pytorch)) : null;
    return {
      case: id,
      ratio,
      imagesPerSecond,
      last: Object.fromEntries(last),
      ready: Object.fromEntries(sides.map((side, i) => [side, ready[i]])),
    };
  } finally {
    await Promise.all(started.map(({ contender }) => contender.end()));
  }
}

const results: object[] = [];
for (const id of values.cases.split(',')) {
  let result: object;
  try {
    result = await measure(id);
  } catch (error) {
    result = { case: id, error: (error as Error).message };
  }
  results.push(result);
  appendFileSync(path.join(values.out, 'results.jsonl'), `${JSON.stringify(result)}\n`);
  console.log(JSON.stringify(result));
}
console.log(JSON.stringify({ results }));
