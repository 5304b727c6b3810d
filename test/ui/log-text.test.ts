/** How a printed line becomes pieces with looks and matches: its text is never changed, nor taken for anything but text. */
import { describe, expect, it } from 'vitest';
import { parseAnsi } from '../../components/run/ansi.ts';
import { makeMatcher, markMatches } from '../../components/run/log-matcher.ts';

const ESC = '\u001b';
const textOf = (line: string) =>
  parseAnsi(line)
    .map((span) => span.text)
    .join('');

describe('colours', () => {
  it('become classes, and end where they end', () => {
    expect(parseAnsi(`a${ESC}[31mred ${ESC}[1mbold${ESC}[22;39m plain${ESC}[m.\r`)).toEqual([
      { text: 'a', className: '' },
      { text: 'red ', className: 'text-bad' },
      { text: 'bold', className: 'text-bad font-bold' },
      { text: ' plain', className: '' },
      { text: '.', className: '' },
    ]);
  });

  it('of 256 and of 16 million are the nearest that can be read', () => {
    const look = (codes: string) => parseAnsi(`${ESC}[${codes}mx`)[0]?.className;
    expect(look('38;5;9')).toBe('text-bad');
    expect(look('38;5;46')).toBe('text-good');
    expect(look('38;2;250;240;10')).toBe('text-warn');
    expect(look('38:2:10:20:250')).toBe('text-accent');
    expect(look('48;5;196;4')).toBe('bg-bad-soft underline');
    expect(look('38;5')).toBe('text-ink-3');
    expect(look('999;38;2')).toBe('text-ink-3');
  });

  it('leave markup the text that it is', () => {
    expect(textOf(`<img src=x onerror=alert(1)>${ESC}[32m&lt;b>`)).toBe('<img src=x onerror=alert(1)>&lt;b>');
  });
});

describe('matches', () => {
  const marks = (line: string, search: string, isRegex = false) =>
    markMatches(parseAnsi(line), makeMatcher(search, isRegex))
      .filter((span) => span.isMatch)
      .map((span) => span.text);

  it('are all of them, in any case, across colours', () => {
    expect(marks('Loss loss LOSS', 'loss')).toEqual(['Loss', 'loss', 'LOSS']);
    expect(marks(`lo${ESC}[31mss${ESC}[0m 1`, 'loss 1')).toEqual(['lo', 'ss', ' 1']);
    expect(marks('a.b (x) [y] \\', '.')).toEqual(['.']);
    expect(marks('epoch 12, step 3', '\\d+', true)).toEqual(['12', '3']);
  });

  it('keep the whole text, whatever matches', () => {
    const line = `one ${ESC}[31mtwo${ESC}[0m three`;
    for (const search of ['o', 'e', 'two', ' ', 'x', 'one two three'])
      expect(
        markMatches(parseAnsi(line), makeMatcher(search, false))
          .map((span) => span.text)
          .join(''),
      ).toBe('one two three');
  });

  it('of nothing and of a pattern that cannot be read are none', () => {
    expect(makeMatcher('', false)).toBeNull();
    expect(makeMatcher('a(', true)).toBeNull();
    expect(marks('abc', 'x*', true)).toEqual([]);
  });
});
