/**
 * From segments to the lines that are sent. A progress bar is one line, sent anew at most once a second while it moves; of a
 * flood the first lines of each second are kept, and a line says how many were not.
 */
import { type OutputLine, REWRITTEN } from '@mealtable/protocol/output';
import type { Segment } from './output-segments.ts';
import { isBlank } from './output-text.ts';

export interface OutputRate {
  linesPerSecond: number;
  /** Characters. */
  charsPerSecond: number;
  /** Between two states of a progress bar. */
  barStateMs: number;
}

interface Gap {
  count: number;
  last: { seq: number; at: number };
}

export class OutputLines {
  readonly #rate: OutputRate;
  /** Where the printed bytes can be read whole, for the line that stands for what was left out. */
  readonly #path: string;
  /** The last state that can be seen of a line that may still be written over. */
  #state: OutputLine | null = null;
  #isStateNew = false;
  #lastStateAt = Number.NEGATIVE_INFINITY;
  #second = Number.NaN;
  #linesOfSecond = 0;
  #charsOfSecond = 0;
  #gap: Gap | null = null;

  constructor(rate: OutputRate, path: string) {
    this.#rate = rate;
    this.#path = path;
  }

  /** @param at when it was seen, never before the last one @returns the lines that are now to be sent */
  push({ seq, text, endsLine }: Segment, at: number): OutputLine[] {
    const isSeen = !isBlank(text);
    if (!endsLine) {
      if (isSeen) {
        this.#state = { seq, at, line: text };
        this.#isStateNew = true;
      }
      return [];
    }
    // A bar that ends with a line's end of its own shows what it showed last.
    const line = isSeen ? text : (this.#state?.line ?? text);
    this.#state = null;
    this.#isStateNew = false;
    return this.#admit({ seq, at, line });
  }

  /** All bytes so far have been pushed. @returns what can be said meanwhile about a line that has not ended, or a flood that has */
  pause(now: number): OutputLine[] {
    const ended = this.#gap && secondOf(now) > this.#second ? this.#closeGap() : [];
    if (!this.#state || !this.#isStateNew || now - this.#lastStateAt < this.#rate.barStateMs) return ended;
    this.#isStateNew = false;
    this.#lastStateAt = now;
    const { line, ...rest } = this.#state;
    return [...this.#closeGap(), ...ended, { ...rest, line: line + REWRITTEN }];
  }

  /** There will be no more. */
  finish(): OutputLine[] {
    const state = this.#isStateNew ? this.#state : null;
    this.#state = null;
    return [...this.#closeGap(), ...(state ? [state] : [])];
  }

  #admit(line: OutputLine): OutputLine[] {
    const second = secondOf(line.at);
    const isNewSecond = second !== this.#second;
    if (isNewSecond) {
      this.#second = second;
      this.#linesOfSecond = 0;
      this.#charsOfSecond = 0;
    }
    this.#linesOfSecond++;
    this.#charsOfSecond += line.line.length;
    const { linesPerSecond, charsPerSecond } = this.#rate;
    if (this.#linesOfSecond <= linesPerSecond && this.#charsOfSecond <= charsPerSecond)
      return [...this.#closeGap(), line];
    this.#gap = { count: (this.#gap?.count ?? 0) + 1, last: { seq: line.seq, at: line.at } };
    return [];
  }

  #closeGap(): OutputLine[] {
    if (!this.#gap) return [];
    const { count, last } = this.#gap;
    this.#gap = null;
    const lines = count === 1 ? '1 line was' : `${count.toLocaleString('en')} lines were`;
    const line = `… ${lines} left out here: more came than are kept of one second. The host has them in ${this.#path} until this attempt is over.`;
    return [{ ...last, line }];
  }
}

const secondOf = (at: number) => Math.floor(at / 1000);
