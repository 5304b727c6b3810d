import { expect, test } from 'vitest';
import { hideSecret } from '../../server/shares/hide-secret.ts';
import { WRONG_TRIES, WRONG_TRIES_MS, WrongTries } from '../../server/shares/wrong-tries.ts';

test('an address is blocked after so many wrong tries, until its window ends, and others are not', () => {
  const tries = new WrongTries();
  for (let i = 0; i < WRONG_TRIES; i++) {
    expect(tries.isBlocked('a', 1_000 + i)).toBe(false);
    tries.note('a', 1_000 + i);
  }
  expect(tries.isBlocked('a', 1_000 + WRONG_TRIES_MS - 1)).toBe(true);
  expect(tries.isBlocked('b', 2_000)).toBe(false);
  expect(tries.isBlocked('a', 1_000 + WRONG_TRIES_MS)).toBe(false);
  tries.note('a', 1_000 + WRONG_TRIES_MS);
  expect(tries.isBlocked('a', 1_000 + WRONG_TRIES_MS)).toBe(false);
});

test('a million addresses take no memory of a million', () => {
  const tries = new WrongTries();
  for (let i = 0; i < 10_001; i++) for (let n = 0; n < (i === 0 ? WRONG_TRIES : 1); n++) tries.note(`${i}`, 0);
  expect(tries.isBlocked('0', 1)).toBe(false);
});

test('secrets are taken out of paths and sentences', () => {
  expect(hideSecret('/share/mt_share_abc-DEF_1')).toBe('/share/…');
  expect(hideSecret('/share/anything?x=1')).toBe('/share/…?x=1');
  expect(hideSecret('Bearer mt_share_abc was shown')).toBe('Bearer … was shown');
  expect(hideSecret('/studies/stu_1')).toBe('/studies/stu_1');
});
