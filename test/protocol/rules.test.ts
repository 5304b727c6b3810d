/** Each rule of protocol/README.md has a test that names it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const RULE = /P\d+a?/g;

/** Rules that a test or a group of tests names first, as in `P6, P10: ...`. */
function namedRules(): Set<string> {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
  const texts = files.flatMap((file) =>
    /\.test\.tsx?$/.test(file) ? [readFileSync(join(ROOT, 'test', file), 'utf8')] : [],
  );
  const names = texts.flatMap((text) =>
    [...text.matchAll(/^.*['"`]((?:P\d+a?, )*P\d+a?): /gm)].map((match) => match[1]!),
  );
  return new Set(names.flatMap((name) => name.match(RULE)!));
}

test('every rule of the protocol is proven by a test that names it, and no test names another', () => {
  const rules = readFileSync(join(ROOT, 'protocol/README.md'), 'utf8').matchAll(/^\*\*(P\d+a?)\. /gm);
  expect([...namedRules()].sort()).toEqual([...rules].map((match) => match[1]!).sort());
});
