/** Dots on the lines under the cursor. */
import type { ChartLine } from './chart-line.ts';
import { lineColor, type Theme } from './palette.ts';

/** Each is an element of the page: with more lines they cost more than they show. */
const MAX_DOTS = 32;
const SIZE = 7;

export class CursorDots {
  readonly #over: HTMLElement;
  readonly #ground: string;
  readonly #dots: HTMLElement[] = [];

  /** @param ground colour behind the lines */
  constructor(over: HTMLElement, ground: string) {
    this.#over = over;
    this.#ground = ground;
  }

  /** @param places in CSS pixels within the plot */
  show(places: readonly { left: number; top: number; line: ChartLine }[], theme: Theme = 'light'): void {
    const { clientWidth, clientHeight } = this.#over;
    const shown = places.length > MAX_DOTS ? [] : places.filter((at) => !at.line.isDimmed);
    shown.forEach(({ left, top, line }, i) => {
      const dot = this.#dotAt(i);
      const isInside = left >= 0 && left <= clientWidth && top >= 0 && top <= clientHeight;
      dot.style.display = isInside ? 'block' : 'none';
      dot.style.transform = `translate(${left - SIZE / 2}px, ${top - SIZE / 2}px)`;
      dot.style.borderColor = lineColor(line.color, theme);
    });
    for (const dot of this.#dots.slice(shown.length)) dot.style.display = 'none';
  }

  #dotAt(index: number): HTMLElement {
    const known = this.#dots[index];
    if (known) return known;
    const dot = document.createElement('div');
    Object.assign(dot.style, {
      ...{ position: 'absolute', left: '0', top: '0', width: `${SIZE}px`, height: `${SIZE}px`, borderRadius: '50%' },
      ...{ border: '1.5px solid', background: this.#ground, boxSizing: 'border-box', pointerEvents: 'none' },
    });
    this.#over.append(dot);
    this.#dots.push(dot);
    return dot;
  }
}
