/** The converter as a process beside the hub: TensorFlow-free, but weights of hundreds of megabytes would keep everybody waiting. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ExportAnswer, type ExportJob } from '@mealtable/protocol/exports';
import { PROJECT_DIR } from '../project-dir.ts';

export interface ConverterOptions {
  /** Node's arguments; the converter's own program unless a test brings another. */
  program?: readonly string[];
  /** After so long it is ended. */
  deadlineMs: number;
  signal: AbortSignal;
}

/** The bundle beside the hub's own, or its source where the hub runs from source. */
function ownProgram(): string[] {
  const isBundled = path.basename(import.meta.dirname) === 'dist';
  if (isBundled) return [path.join(import.meta.dirname, 'export-model.js')];
  return ['--import', 'tsx', path.join(PROJECT_DIR, 'trainer', 'export', 'main.ts')];
}

const MAX_ANSWER_BYTES = 1_000_000;
/** Of what the converter says when it fails, for the hub's output. */
const KEPT_ERROR_BYTES = 4_000;

/** Also what went wrong with the process itself is an answer: a sentence for whoever asked. Rejects when `signal` is aborted. */
export async function runConverter(job: ExportJob, options: ConverterOptions): Promise<ExportAnswer> {
  const { program = ownProgram(), deadlineMs, signal } = options;
  const child = spawn(process.execPath, program, {
    cwd: PROJECT_DIR,
    stdio: ['pipe', 'pipe', 'pipe'],
    // It needs no secret of the hub's.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: process.env.NODE_ENV },
    killSignal: 'SIGKILL',
    signal,
  });
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, deadlineMs);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(0, MAX_ANSWER_BYTES);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-KEPT_ERROR_BYTES);
  });
  // A program that ends before it has read its job says why by its end.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(job));
  try {
    const end = await new Promise<string>((resolve, reject) => {
      // When it is told to end, its end is awaited.
      child.once('error', (error) => {
        if (!signal.aborted) reject(error);
      });
      child.once('close', (code, killedBy) => resolve(killedBy ?? String(code)));
    });
    signal.throwIfAborted();
    if (isLate) return failed(`The conversion took longer than ${deadlineMs / 1000} seconds and was ended.`);
    const parsed = end === '0' ? ExportAnswer.safeParse(parseJson(output)) : null;
    if (parsed?.success) return parsed.data;
    console.error(`The converter ended with ${end} instead of an answer:`, errors || output);
    return failed(
      end === 'SIGKILL'
        ? 'The system ended the conversion, most likely for want of memory on the hub’s machine.'
        : 'The converter failed; the hub’s output has the details.',
    );
  } finally {
    clearTimeout(deadline);
  }
}

const failed = (message: string): ExportAnswer => ({ ok: false, message });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
