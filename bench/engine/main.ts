/**
 * How fast a training step and a frozen forward pass are, against tfjs-node as shipped, Python's TensorFlow and PyTorch, in one
 * interleaved run. Run: `npm run bench:engine -- --help`. The last line of the output is JSON. docs/engine-performance.md says
 * how to read it.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CaseResult, findDisagreement } from './case-result.ts';
import { QUICK_CASE } from './cases.ts';
import { findContenders } from './contenders.ts';
import { describeMachine, loadAverage, warnAboutLoad } from './machine.ts';
import { type MeasureOptions, measureCapture, measureCase } from './measure-case.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { caseTable, type Report, replaceBetweenMarks, writeMarkdown } from './report.ts';

const log = (line: string) => console.log(line);

async function run(options: Options, folder: string): Promise<Report> {
  const loadBefore = loadAverage();
  const machine = describeMachine();
  log(`${machine.cpu}, ${machine.cores} cores, ${options.threads} threads, load average ${loadBefore.toFixed(2)}`);
  const idle = warnAboutLoad(loadBefore, null);
  if (idle !== null) log(idle);
  const { available, leftOut } = await findContenders(options.contenders, options.python);
  for (const { id, reason } of leftOut) log(`Without ${id}: ${reason}.`);
  if (available.length === 0) throw new Error('None of the contenders can run here.');
  const measuring: MeasureOptions = { ...options, folder, log };
  const cases: CaseResult[] = [];
  const disagreements: string[] = [];
  for (const [index, measured] of options.cases.entries()) {
    log(`\n${index + 1}/${options.cases.length} ${measured.id}, batch ${measured.batch}`);
    const result = await measureCase(measured, available, measuring);
    cases.push(result);
    log(caseTable(result));
    const disagreement = findDisagreement(result.measured);
    if (disagreement !== null) {
      disagreements.push(`${measured.id} is not a fair comparison: ${disagreement}.`);
      log(disagreements.at(-1)!);
    }
  }
  const captureCost = await captureOnce(options, available, measuring);
  const shares = cases.flatMap(({ foreignShare }) => foreignShare ?? []);
  const load = warnAboutLoad(loadBefore, shares.length === 0 ? null : Math.max(...shares));
  return {
    bench: 'engine',
    date: new Date().toISOString().slice(0, 10),
    command: commandLine(process.argv.slice(2)),
    machine,
    threads: options.threads,
    rounds: options.rounds,
    turnSeconds: options.turnSeconds,
    loadBefore,
    loadAfter: loadAverage(),
    warnings: [...(load === null ? [] : [load]), ...disagreements],
    leftOut: leftOut.map(({ id, reason }) => `${id}, because ${reason}`),
    captureCost,
    cases,
  };
}

/** The command as somebody else would give it: where this machine keeps its Python is nobody's business. */
function commandLine(args: readonly string[]): string {
  const own = args.map((arg, i) =>
    args[i - 1] === '--python' ? 'PYTHON' : arg.replace(/^--python=.*/, '--python PYTHON'),
  );
  return ['npm run bench:engine', ...(own.length > 0 ? ['--', ...own] : [])].join(' ');
}

/** Of the case that the bar is set for, when it and the captured contender are among those asked for. */
async function captureOnce(
  options: Options,
  available: Parameters<typeof measureCase>[1],
  measuring: MeasureOptions,
): Promise<Report['captureCost']> {
  const measured = options.cases.find(({ id }) => id === QUICK_CASE);
  const captured = available.find(({ id }) => id === 'captured');
  if (measured === undefined || captured === undefined) return null;
  log(`\nCapturing ${measured.id}`);
  const { cold, cached } = await measureCapture(measured, captured, measuring);
  log(`  ${cold.nodeCount} nodes in ${cold.seconds.toFixed(2)} s; from the cache ${cached.seconds.toFixed(2)} s`);
  return { case: measured.id, cold, cached };
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env as { MEALTABLE_TORCH?: string });
  if (options === null) return log(USAGE);
  // Before an hour of measuring, not after it.
  if (options.write !== null) replaceBetweenMarks(await readFile(options.write, 'utf8'), '');
  const folder = await mkdtemp(path.join(tmpdir(), 'mealtable-bench-'));
  // On every way out, also an interrupt: process.exit runs no `finally`.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const report = await run(options, folder);
  for (const warning of report.warnings) log(`\n${warning}`);
  if (options.write !== null) await writeMarkdown(options.write, report);
  log(`\n${JSON.stringify(report)}`);
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
