/** Lines, bands and marks on a canvas. */
import type { ChartLine } from './chart-line.ts';
import type { Frame } from './frame.ts';
import { type EdgeMark, edgeMarks, traceBand, traceLine } from './line-path.ts';
import { lineColor, lineDash, type Theme } from './palette.ts';

const FAINT = 0.3;
const DIMMED = 0.1;
const BAND = 0.14;
const DOTS = [1.5, 3];
/** With more lines than this each is drawn thinner. */
const MANY = 24;

/** @param ratio device pixels of a CSS pixel; the frame is in device pixels */
export function drawLines(
  ctx: CanvasRenderingContext2D,
  lines: readonly ChartLine[],
  frame: Frame,
  theme: Theme,
  ratio: number,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left, frame.top - 2 * ratio, frame.width, frame.height + 4 * ratio);
  ctx.clip();
  ctx.lineJoin = 'bevel';
  ctx.lineCap = 'butt';
  for (const line of lines) fillBand(ctx, line, frame, theme);
  const width = (lines.length > MANY ? 1 : 1.5) * ratio;
  // What is in the foreground comes last.
  const inOrder = lines.toSorted((a, b) => rank(a) - rank(b));
  for (const line of inOrder) strokeLine(ctx, line, frame, theme, ratio, width);
  for (const line of inOrder)
    if (line.look !== 'faint' || !lines.some((other) => other.look !== 'faint' && other.color === line.color))
      drawMarks(ctx, edgeMarks(line, frame), frame, lineColor(line.color, theme), ratio);
  ctx.restore();
}

const rank = (line: ChartLine) => (line.isDimmed ? 0 : line.look === 'faint' ? 1 : 2);

function fillBand(ctx: CanvasRenderingContext2D, line: ChartLine, frame: Frame, theme: Theme): void {
  if (!line.band) return;
  ctx.fillStyle = lineColor(line.color, theme, line.isDimmed ? BAND / 4 : BAND);
  for (const shape of traceBand(line, frame)) {
    ctx.beginPath();
    shape.forEach(([x, y], i) => {
      if (i === 0) ctx.moveTo(x, y);
      else ctx.lineTo(x, y);
    });
    ctx.fill();
  }
}

function strokeLine(
  ctx: CanvasRenderingContext2D,
  line: ChartLine,
  frame: Frame,
  theme: Theme,
  ratio: number,
  width: number,
): void {
  ctx.strokeStyle = lineColor(line.color, theme, line.isDimmed ? DIMMED : line.look === 'faint' ? FAINT : 1);
  ctx.lineWidth = line.look === 'faint' ? ratio : width;
  const dash = (lineDash(line) ?? []).map((length) => length * ratio);
  const stroke = (part: 'all' | 'whole' | 'fewer', pattern: number[]) => {
    ctx.setLineDash(pattern);
    ctx.beginPath();
    traceLine(ctx, line, frame, part);
    ctx.stroke();
  };
  if (line.n === undefined) stroke('all', dash);
  else {
    stroke('whole', dash);
    stroke(
      'fewer',
      DOTS.map((length) => length * ratio),
    );
  }
  ctx.setLineDash([]);
  // Only a lone point needs a dot to be seen.
  if (line.y.filter((y) => y !== null).length === 1) drawDot(ctx, line, frame, ratio);
}

function drawDot(ctx: CanvasRenderingContext2D, line: ChartLine, frame: Frame, ratio: number): void {
  ctx.fillStyle = ctx.strokeStyle;
  traceLine(
    {
      moveTo(x, y) {
        ctx.beginPath();
        ctx.arc(x, y, 2.5 * ratio, 0, 2 * Math.PI);
        ctx.fill();
      },
      lineTo() {},
    },
    line,
    frame,
  );
}

/** A cross at the foot for NaN, a wedge that points where an infinite value went. */
function drawMarks(
  ctx: CanvasRenderingContext2D,
  marks: readonly EdgeMark[],
  { top, height }: Frame,
  color: string,
  ratio: number,
): void {
  const size = 3.5 * ratio;
  ctx.fillStyle = color;
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.5 * ratio;
  for (const { x, kind } of marks) {
    ctx.beginPath();
    if (kind === 'nan') {
      const y = top + height - size - ratio;
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x - size, y + size);
      ctx.lineTo(x + size, y - size);
      ctx.stroke();
    } else {
      const [edge, inner] = kind === 'above' ? [top, top + 2 * size] : [top + height, top + height - 2 * size];
      ctx.moveTo(x, edge);
      ctx.lineTo(x - size, inner);
      ctx.lineTo(x + size, inner);
      ctx.fill();
    }
  }
}
