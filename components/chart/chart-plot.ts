/**
 * One chart on the page: uPlot has the axes, the grid, the cursor and the dragging; the lines are our own, each with its own places on
 * the x-axis, which uPlot's common columns would multiply. Not a React component, because points come more often than pages are rendered.
 */
import uPlot from 'uplot';
import type { XAxis } from './axes.ts';
import { type ChartLine, isRead, nearestPlace } from './chart-line.ts';
import type { ChartTheme } from './chart-theme.ts';
import { CursorDots } from './cursor-dots.ts';
import { drawLines } from './draw-lines.ts';
import type { Frame } from './frame.ts';
import type { Theme } from './palette.ts';
import { buildOptions } from './uplot-options.ts';
import { yRange } from './y-range.ts';

export interface Zoom {
  from: number;
  to: number;
}
/** What decides the picture apart from the numbers; another one needs another plot. */
export interface PlotShape {
  axis: XAxis;
  isLog: boolean;
  theme: Theme;
  height: number;
  /** Charts with the same key share their cursor. */
  syncKey: string | null;
}
export interface PlotContent {
  lines: readonly ChartLine[];
  /** Vertical marks, for example where another attempt went on. */
  marks: readonly number[];
  zoom: Zoom | null;
  ignoresOutliers: boolean;
}
export interface CursorReading {
  x: number;
  /** The y of every line at its point nearest to the cursor, by id. */
  values: ReadonlyMap<string, number>;
  /** Index of that point, by id. */
  places: ReadonlyMap<string, number>;
  /** The pointer or the keyboard is at this chart, not at another one with the same cursor. */
  isOwn: boolean;
  /** Of the chart's own cursor, in CSS pixels within the chart. */
  left: number;
  top: number;
  /** The line nearest to the pointer. */
  nearest: string | null;
}
export interface PlotEvents {
  onZoom: (zoom: Zoom | null) => void;
  onCursor: (reading: CursorReading | null) => void;
}

const EMPTY: PlotContent = { lines: [], marks: [], zoom: null, ignoresOutliers: false };
/** A dragged range narrower than this, in pixels, was a click. */
const LEAST_DRAG = 6;

export class ChartPlot {
  readonly #plot: uPlot;
  readonly #shape: PlotShape;
  readonly #events: PlotEvents;
  readonly #theme: ChartTheme;
  readonly #dots: CursorDots;
  #content: PlotContent = EMPTY;
  #isOwn = false;

  constructor(target: HTMLElement, shape: PlotShape, theme: ChartTheme, events: PlotEvents) {
    this.#shape = shape;
    this.#events = events;
    this.#theme = theme;
    const hooks: uPlot.Hooks.Arrays = {
      draw: [() => this.#draw()],
      setCursor: [() => this.#readCursor()],
      setSelect: [(u) => this.#select(u)],
    };
    const options = buildOptions(shape, theme, target.clientWidth || 300, hooks, () => events.onZoom(null));
    this.#plot = new uPlot(options, [[0, 1]], target);
    this.#dots = new CursorDots(this.#plot.over, theme.ground);
    this.#plot.over.addEventListener('mouseenter', () => {
      this.#isOwn = true;
    });
    this.#plot.over.addEventListener('mouseleave', () => {
      this.#isOwn = false;
    });
  }

  get lines(): readonly ChartLine[] {
    return this.#content.lines;
  }
  /** What of the x-axis is shown. */
  get shown(): Zoom {
    const { min, max } = this.#plot.scales.x as uPlot.Scale;
    return { from: min ?? 0, to: max ?? 1 };
  }

  get shownY(): { min: number; max: number } {
    return this.#frame.y;
  }

  show(content: PlotContent): void {
    this.#content = content;
    const whole = domainOf(content.lines);
    const { from, to } = content.zoom ?? whole;
    const { min, max } = yRange(content.lines, from, to, {
      isLog: this.#shape.isLog,
      ignoresOutliers: content.ignoresOutliers,
    });
    this.#plot.batch(() => {
      this.#plot.setData([[whole.from, whole.to]], false);
      this.#plot.setScale('x', { min: from, max: to });
      this.#plot.setScale('y', { min, max });
    });
  }

  resize(width: number): void {
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: this.#shape.height });
  }

  /** Moves the cursor to a place, as the pointer would; null takes it away. */
  moveCursor(x: number | null): void {
    this.#isOwn = x !== null;
    const { width, height } = this.#plot.over.getBoundingClientRect();
    const left = x === null ? -10 : Math.min(width, Math.max(0, this.#plot.valToPos(x, 'x')));
    // The last one, which tells the charts with the same cursor, is missing in the types of uPlot.
    const move = this.#plot.setCursor as (at: { left: number; top: number }, fires: boolean, tells: boolean) => void;
    move({ left, top: x === null ? -10 : height / 2 }, true, true);
  }

  /** @returns the place of the next point in that direction, among all lines and within what is shown */
  nextPlace(from: number | null, direction: 1 | -1): number | null {
    const { from: low, to: high } = this.shown;
    let best: number | null = null;
    for (const { x } of this.lines.filter(isRead))
      for (const place of x) {
        if (place < low || place > high) continue;
        if (from !== null && (direction === 1 ? place <= from : place >= from)) continue;
        if (best === null || (direction === 1 ? place < best : place > best)) best = place;
      }
    return best;
  }

  destroy(): void {
    this.#plot.destroy();
  }

  get #frame(): Frame {
    const { bbox, scales } = this.#plot;
    const range = (key: 'x' | 'y') => ({ min: scales[key]?.min ?? 0, max: scales[key]?.max ?? 1 });
    return { ...bbox, x: range('x'), y: range('y'), isLog: this.#shape.isLog };
  }

  #draw(): void {
    const { ctx } = this.#plot;
    const ratio = uPlot.pxRatio;
    drawVerticalMarks(ctx, this.#content.marks, this.#frame, this.#theme.mark, ratio);
    drawLines(ctx, this.#content.lines, this.#frame, this.#shape.theme, ratio);
  }

  #select(u: uPlot): void {
    const { left, width } = u.select;
    if (width < LEAST_DRAG) return;
    const zoom = { from: u.posToVal(left, 'x'), to: u.posToVal(left + width, 'x') };
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    if (zoom.to > zoom.from) this.#events.onZoom(zoom);
  }

  #onTarget(left: number, top: number): { left: number; top: number } {
    const { bbox } = this.#plot;
    return { left: left + bbox.left / uPlot.pxRatio, top: top + bbox.top / uPlot.pxRatio };
  }

  #readCursor(): void {
    const { left = -1, top = -1 } = this.#plot.cursor;
    if (left < 0) {
      this.#dots.show([]);
      this.#events.onCursor(null);
      return;
    }
    const at = this.#plot.posToVal(left, 'x');
    const values = new Map<string, number>();
    const places = new Map<string, number>();
    const dots: { left: number; top: number; line: ChartLine }[] = [];
    let x = at;
    let distance = Number.POSITIVE_INFINITY;
    let nearest: string | null = null;
    let gap = Number.POSITIVE_INFINITY;
    for (const line of this.lines) {
      if (!isRead(line)) continue;
      const place = nearestPlace(line, at);
      const value = place === null ? null : line.y[place];
      if (place === null || value === null || value === undefined) continue;
      values.set(line.id, value);
      places.set(line.id, place);
      const pointX = line.x[place] as number;
      if (Math.abs(pointX - at) < distance) {
        distance = Math.abs(pointX - at);
        x = pointX;
      }
      if (!Number.isFinite(value)) continue;
      const pointTop = this.#plot.valToPos(value, 'y');
      dots.push({ left: this.#plot.valToPos(pointX, 'x'), top: pointTop, line });
      if (Math.abs(pointTop - top) < gap) {
        gap = Math.abs(pointTop - top);
        nearest = line.id;
      }
    }
    this.#dots.show(dots, this.#shape.theme);
    this.#events.onCursor(
      values.size === 0 ? null : { x, values, places, isOwn: this.#isOwn, nearest, ...this.#onTarget(left, top) },
    );
  }
}

/** All places of the lines, widened where they are a single one. */
function domainOf(lines: readonly ChartLine[]): Zoom {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { x } of lines) {
    if (x.length === 0) continue;
    from = Math.min(from, x[0] as number);
    to = Math.max(to, x.at(-1) as number);
  }
  if (from > to) return { from: 0, to: 1 };
  return from === to ? { from: from - 0.5, to: to + 0.5 } : { from, to };
}

function drawVerticalMarks(
  ctx: CanvasRenderingContext2D,
  marks: readonly number[],
  { left, top, width, height, x }: Frame,
  color: string,
  ratio: number,
): void {
  if (marks.length === 0) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.beginPath();
  for (const mark of marks) {
    if (mark <= x.min || mark >= x.max) continue;
    const at = Math.round(left + ((mark - x.min) / (x.max - x.min)) * width);
    ctx.moveTo(at, top);
    ctx.lineTo(at, top + height);
  }
  ctx.stroke();
  ctx.restore();
}
