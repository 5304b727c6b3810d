import { expect, test } from 'vitest';
import { downloadName } from '../../server/checkpoints/download-name.ts';
import { parseRange } from '../../server/checkpoints/send-file.ts';

const of = { study: 'Digits', variant: 'a + b · discriminator on · 24 px', seed: 1, epoch: 3 };

test('a model is named after study, variant, seed and epoch', () => {
  expect(downloadName(of, 'model.safetensors')).toBe('Digits-a-b-discriminator-on-24-px-seed1-epoch3.safetensors');
});

test('the files for resuming keep their name at the end', () => {
  expect(downloadName({ ...of, epoch: 2.5 }, 'progress.json')).toMatch(/seed1-epoch2\.5-progress\.json$/);
});

test.each([
  '../../etc/passwd',
  'a"; filename="evil.exe',
  'line\r\nSet-Cookie: x=1',
  'nul\0',
  '..',
  '.hidden',
  '数字',
  'Zürich é',
  '🙂',
  'x'.repeat(500),
  '',
])('a study named %j makes a harmless name', (study) => {
  const name = downloadName({ ...of, study }, 'model.safetensors');
  expect(name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/);
  expect(name).not.toContain('..');
  expect(name.length).toBeLessThan(250);
});

test.each([
  [undefined, null],
  ['bytes=0-9', { start: 0, end: 9 }],
  ['bytes=5-', { start: 5, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-500', { start: 0, end: 99 }],
  ['bytes=90-500', { start: 90, end: 99 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=9-5', null],
  ['bytes=-', null],
  ['bytes=0-1,5-6', null],
  ['items=0-1', null],
  ['bytes=x-1', null],
])('Range %j of 100 bytes', (header, span) => {
  expect(parseRange(header, 100)).toEqual(span);
});

test('an empty file has no range', () => {
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
});
