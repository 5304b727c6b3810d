/** `npm run models -- [WORD ...] [--size PIXELS] [--json]`: the networks and published weights that can be used. */
import { parseArgs } from 'node:util';
import { InputSize } from '@mealtable/protocol/run-config';
import { formatModels, listModels } from './table.ts';

const USAGE = `Usage: npm run models -- [WORD ...] [--size PIXELS] [--json]

  WORD           lists only names and families that contain all the words
  --size PIXELS  counts GMACs at this input size instead of each one's own
  --json         one JSON array instead of the table; with it, use npm run --silent models`;

function main(args: string[]): number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return refuse((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const size = values.size === undefined ? null : InputSize.safeParse(Number(values.size));
  if (size && !size.success) return refuse(`--size ${values.size}: ${size.error.issues[0]!.message}`);
  const rows = listModels(positionals, size?.data ?? null);
  if (values.json) console.log(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) return refuse(`No network or weights match "${positionals.join(' ')}".`);
  else console.log(formatModels(rows, size?.data ?? null));
  return 0;
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: { size: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });

function refuse(message: string): number {
  process.stderr.write(`${message}\n`);
  return 2;
}

process.exitCode = main(process.argv.slice(2));
