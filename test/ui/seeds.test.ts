/** Seeds as people type and paste them. */
import { describe, expect, it } from 'vitest';
import { addSeeds, countedSeeds, parseSeeds } from '../../components/study/form/parse-seeds.ts';

describe('parseSeeds', () => {
  it.each([
    ['0,1,2', [0, 1, 2]],
    ['0 1 2', [0, 1, 2]],
    [' 7;8,\n9 ', [7, 8, 9]],
    ['3-6', [3, 4, 5, 6]],
    ['1..3, 10', [1, 2, 3, 10]],
  ])('%j', (text, seeds) => {
    expect(parseSeeds(text)).toEqual({ ok: true, seeds });
  });

  it.each([
    ['', /at least one/],
    ['one', /“one”: A seed is a whole number/],
    ['1.5', /“1.5”: A seed is a whole number/],
    ['-1', /“-1”: A seed is 0 or more/],
    ['9-3', /from the smaller to the larger/],
    ['0-100000000', /At most 500/],
    ['4000000000', /below 2,147,483,648/],
  ])('refuses %j and says why', (text, message) => {
    const parsed = parseSeeds(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.message).toMatch(message);
  });
});

describe('a list of seeds', () => {
  it('takes each seed once', () => {
    expect(addSeeds([0, 1], [1, 2, 2])).toEqual([0, 1, 2]);
  });

  it('of a given length starts from 0 and keeps what an existing study has', () => {
    expect(countedSeeds(3, [])).toEqual([0, 1, 2]);
    expect(countedSeeds(4, [7, 1])).toEqual([7, 1, 0, 2]);
    expect(countedSeeds(1, [7, 1])).toEqual([7, 1]);
  });
});
