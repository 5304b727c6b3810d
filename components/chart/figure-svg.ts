/** A chart as a figure for a paper: an SVG with title, names of the axes and legend, dark on white, in plain colours. */
import { formatAbsolute } from '../format.ts';
import { X_AXIS_TITLES, type XAxis } from './axes.ts';
import type { ChartLine } from './chart-line.ts';
import type { Zoom } from './chart-plot.ts';
import type { Frame } from './frame.ts';
import { placeX, placeY } from './frame.ts';
import { edgeMarks, traceBand, traceLine } from './line-path.ts';
import { linearTicks, logTicks } from './nice-ticks.ts';
import { lineDash, lineHex } from './palette.ts';
import { formatTick } from './ticks.ts';

export interface FigureInput {
  title: string;
  /** The metric's name. */
  yTitle: string;
  axis: XAxis;
  isLog: boolean;
  lines: readonly ChartLine[];
  shown: { x: Zoom; y: { min: number; max: number } };
  /** What the lines are, such as "Mean over seeds, ± std". */
  note: string;
}

const WIDTH = 720;
const PLOT_HEIGHT = 330;
const LEFT = 72;
const RIGHT = 20;
const TOP = 44;
const LEGEND_LINE = 17;
/** A figure with more names than this is no figure; the last line says how many are left out. */
const MAX_LEGEND = 40;
const MAX_NAME = 80;
/** Names up to this length have room beside each other, in any sans-serif font. */
const SHORT_NAME = 36;
const FONT = 'Helvetica, Arial, sans-serif';

/** Names are anybody's. What XML 1.0 has no way to hold, control characters and halves of pairs, is left out. */
const xmlText = (text: string) =>
  text.replace(/[^\t\n\r\P{C}]|[\p{Cs}\ufffe\uffff]/gu, '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const nameOf = ({ label, id }: ChartLine) => label ?? id;
const short = (text: string) => (text.length > MAX_NAME ? `${text.slice(0, MAX_NAME - 1)}…` : text);
const round = (value: number) => Math.round(value * 100) / 100;

/** @returns an SVG document */
export function chartFigure(input: FigureInput): string {
  const { lines, isLog, shown } = input;
  const named = lines.filter((line) => line.look !== 'faint');
  const legend = named.slice(0, MAX_LEGEND);
  const columns = legend.every((line) => nameOf(line).length <= SHORT_NAME) ? 2 : 1;
  const rows = Math.ceil(legend.length / columns) + (named.length > legend.length ? 1 : 0);
  const bottom = TOP + PLOT_HEIGHT;
  const height = bottom + 52 + rows * LEGEND_LINE + (input.note === '' ? 0 : 20) + 8;
  const frame: Frame = {
    ...{ left: LEFT, top: TOP, width: WIDTH - LEFT - RIGHT, height: PLOT_HEIGHT, isLog },
    ...{ x: { min: shown.x.from, max: shown.x.to }, y: shown.y },
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}" font-size="12" fill="#222">`,
    `<title>${xmlText(input.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="26" font-size="15" font-weight="bold">${xmlText(short(input.title))}</text>`,
    ...drawAxes(frame, input),
    `<clipPath id="plot"><rect x="${LEFT}" y="${TOP - 2}" width="${frame.width}" height="${PLOT_HEIGHT + 4}"/></clipPath>`,
    '<g clip-path="url(#plot)" fill="none" stroke-linejoin="bevel">',
    ...lines.flatMap((line) => bandShapes(line, frame)),
    ...[...lines]
      .sort((a, b) => Number(b.look === 'faint') - Number(a.look === 'faint'))
      .flatMap((line) => strokes(line, frame)),
    ...named.flatMap((line) => markShapes(line, frame)),
    '</g>',
    ...drawLegend(legend, named.length - legend.length, bottom + 56, columns),
    ...(input.note === ''
      ? []
      : [`<text x="${LEFT}" y="${height - 12}" font-size="11" fill="#555">${xmlText(input.note)}</text>`]),
    '</svg>',
    '',
  ].join('\n');
}

function drawAxes(frame: Frame, { axis, isLog, yTitle }: FigureInput): string[] {
  const { left, top, width, height, x, y } = frame;
  const px = placeX(frame);
  const py = placeY(frame);
  const bottom = top + height;
  const xTicks = linearTicks(x.min, x.max, axis === 'clock' ? 4 : 7);
  const yTicks = isLog ? logTicks(y.min, y.max) : linearTicks(y.min, y.max, 6);
  const nameX = (tick: number) => (axis === 'clock' ? formatAbsolute(tick * 1000) : formatTick(tick));
  return [
    ...yTicks.flatMap((tick) => [
      `<line x1="${left}" x2="${left + width}" y1="${round(py(tick))}" y2="${round(py(tick))}" stroke="#e4e4e4"/>`,
      `<text x="${left - 8}" y="${round(py(tick) + 4)}" text-anchor="end">${xmlText(formatTick(tick))}</text>`,
    ]),
    `<path d="M${left} ${top}V${bottom}H${left + width}" fill="none" stroke="#444"/>`,
    ...xTicks.flatMap((tick) => [
      `<line x1="${round(px(tick))}" x2="${round(px(tick))}" y1="${bottom}" y2="${bottom + 4}" stroke="#444"/>`,
      `<text x="${round(px(tick))}" y="${bottom + 17}" text-anchor="middle"${axis === 'clock' ? ' font-size="10"' : ''}>${xmlText(nameX(tick))}</text>`,
    ]),
    `<text x="${left + width / 2}" y="${bottom + 36}" text-anchor="middle">${xmlText(X_AXIS_TITLES[axis])}</text>`,
    `<text transform="translate(16 ${top + height / 2}) rotate(-90)" text-anchor="middle">${xmlText(short(yTitle))}</text>`,
  ];
}

function bandShapes(line: ChartLine, frame: Frame): string[] {
  return traceBand(line, frame).map(
    (shape) =>
      `<path d="M${shape.map(([x, y]) => `${round(x)} ${round(y)}`).join('L')}Z" fill="${lineHex(line.color, 'light')}" fill-opacity="0.15"/>`,
  );
}

function strokes(line: ChartLine, frame: Frame): string[] {
  const looks: ['all' | 'whole' | 'fewer', number[] | undefined][] = line.n
    ? [
        ['whole', lineDash(line)],
        ['fewer', [1.5, 3]],
      ]
    : [['all', lineDash(line)]];
  const style = line.look === 'faint' ? 'stroke-opacity="0.3" stroke-width="1"' : 'stroke-width="1.6"';
  return looks.flatMap(([part, dash]) => {
    const path: string[] = [];
    let pending = '';
    const pen = {
      moveTo: (x: number, y: number) => {
        pending = `M${round(x)} ${round(y)}`;
      },
      lineTo: (x: number, y: number) => {
        path.push(`${pending}L${round(x)} ${round(y)}`);
        pending = '';
      },
    };
    traceLine(pen, line, frame, part);
    if (path.length === 0) return [];
    return `<path d="${path.join('')}" stroke="${lineHex(line.color, 'light')}" ${style}${dash ? ` stroke-dasharray="${dash.join(' ')}"` : ''}/>`;
  });
}

function markShapes(line: ChartLine, frame: Frame): string[] {
  const color = lineHex(line.color, 'light');
  const { top, height } = frame;
  return edgeMarks(line, frame).map(({ x, kind }) => {
    if (kind === 'nan') {
      const y = top + height - 5;
      return `<path d="M${round(x - 3)} ${y - 3}l6 6m-6 0l6 -6" stroke="${color}" stroke-width="1.5"/>`;
    }
    const [edge, inner] = kind === 'above' ? [top, top + 7] : [top + height, top + height - 7];
    return `<path d="M${round(x)} ${edge}L${round(x - 3.5)} ${inner}h7Z" fill="${color}"/>`;
  });
}

function drawLegend(lines: readonly ChartLine[], more: number, top: number, columns: number): string[] {
  const column = (WIDTH - LEFT - RIGHT) / columns;
  const entries = lines.map((line, i) => {
    const x = LEFT + (i % columns) * column;
    const y = top + Math.floor(i / columns) * LEGEND_LINE;
    const dash = lineDash(line);
    return [
      `<line x1="${x}" x2="${x + 24}" y1="${y - 4}" y2="${y - 4}" stroke="${lineHex(line.color, 'light')}" stroke-width="2"${dash ? ` stroke-dasharray="${dash.join(' ')}"` : ''}/>`,
      `<text x="${x + 32}" y="${y}">${xmlText(short(nameOf(line)))}</text>`,
    ].join('');
  });
  if (more === 0) return entries;
  const y = top + Math.ceil(lines.length / columns) * LEGEND_LINE;
  return [...entries, `<text x="${LEFT}" y="${y}" fill="#555">and ${more} more</text>`];
}
