/** What each factor does as a figure for a paper: an SVG of its own, black on white, the same bytes for the same numbers. */
import {
  type EffectRow,
  effectRows,
  intervalWords,
  isWithinNoise,
  pWords,
  signed,
} from '@mealtable/protocol/effect-words';
import type { StudyEffects } from '@mealtable/protocol/views';
import { type EffectScale, effectScale, placeOn } from './effect-scale.ts';

/** Pixels, at 96 to the inch: 7 inches is the text width of most papers of one column. */
const WIDTH = 672;
const MARGIN = 4;
const LABELS = 220;
const FIGURES = 180;
const PLOT = { left: LABELS + 10, right: WIDTH - FIGURES - 10 };
const ROW = 20;
const HEADING = 24;
const AXIS = 34;
const FONT = 'font-family="Helvetica, Arial, sans-serif"';
const INK = '#111111';
const FAINT = '#767676';
/** Of Okabe and Ito's palette, told apart by the colour-blind and in print. */
const CLEAR = '#0072b2';

/** So many letters fit before the plot, and over its whole width; the rest is in the table. */
const LONGEST_LABEL = 38;
const LONGEST_HEADING = 90;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
/** XML 1.0 has no place for other control characters, not even escaped. */
const xmlText = (text: string): string =>
  Array.from(text, (sign) => ((sign.codePointAt(0) ?? 0) < 32 ? ' ' : (ESCAPES[sign] ?? sign))).join('');
const shortened = (text: string, longest: number): string => {
  const signs = Array.from(text);
  return signs.length <= longest ? text : `${signs.slice(0, longest - 1).join('')}…`;
};
const px = (value: number): string => String(Number(value.toFixed(2)));
const minus = (text: string): string => text.replaceAll('-', '−');

interface FigureOptions {
  decimals: number;
  /** Interactions below the effects. */
  hasInteractions: boolean;
  /** Said below the axis. */
  caption: string;
}

/** @returns null while there is no effect to draw */
export function effectsFigure(
  effects: StudyEffects,
  { decimals, hasInteractions, caption }: FigureOptions,
): { svg: string; width: number; height: number } | null {
  const rows = effectRows(hasInteractions ? effects : { ...effects, interactions: [] });
  const scale = effectScale(rows.map(({ difference }) => difference));
  if (scale === null) return null;
  const parts: string[] = [];
  let y = 8;
  let heading = '';
  for (const row of rows) {
    const own =
      row.kind === 'effect' ? `${row.factor} (against ${row.against})` : 'Interactions (differences of differences)';
    if (own !== heading) {
      heading = own;
      y += HEADING;
      parts.push(text(MARGIN, y - 7, shortened(own, LONGEST_HEADING), 'font-weight="bold"'));
    }
    y += ROW;
    parts.push(...drawRow(row, y - ROW / 2, scale, decimals));
  }
  const bottom = y + 4;
  const height = bottom + AXIS;
  const grid = scale.ticks.map((tick) => {
    const x = px(placeX(scale, tick));
    const look = tick === 0 ? `stroke="${INK}"` : `stroke="#dddddd"`;
    return `<line x1="${x}" x2="${x}" y1="8" y2="${bottom}" ${look}/>`;
  });
  const marks = scale.ticks.map((tick) =>
    text(
      placeX(scale, tick),
      bottom + 14,
      minus(tick === 0 ? '0' : `${tick > 0 ? '+' : ''}${Number(tick.toPrecision(6))}`),
      'text-anchor="middle"',
    ),
  );
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" ${FONT} font-size="11" fill="${INK}">`,
    `<title>${xmlText(caption)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...grid,
    ...parts,
    ...marks,
    text((PLOT.left + PLOT.right) / 2, bottom + 29, 'Points of top-1', `text-anchor="middle" fill="${FAINT}"`),
    '</svg>',
    '',
  ].join('\n');
  return { svg, width: WIDTH, height };
}

const placeX = (scale: EffectScale, value: number): number =>
  PLOT.left + placeOn(scale, value).at * (PLOT.right - PLOT.left);

const text = (x: number, y: number, says: string, more = ''): string =>
  `<text x="${px(x)}" y="${px(y)}"${more && ` ${more}`}>${xmlText(says)}</text>`;

/** A dot with its interval: full and blue where 0 lies outside of that, hollow and grey where it does not or nobody knows. */
function drawRow({ level, difference }: EffectRow, y: number, scale: EffectScale, decimals: number): string[] {
  const { mean, interval, n, p } = difference;
  const isClear = isWithinNoise(difference) === false;
  const colour = isClear ? CLEAR : FAINT;
  const parts = [text(MARGIN + 10, y + 4, shortened(level, LONGEST_LABEL))];
  if (mean === null)
    return [...parts, text(WIDTH - MARGIN, y + 4, 'no complete pair', `text-anchor="end" fill="${FAINT}"`)];
  if (interval) {
    const [low, high] = [placeOn(scale, interval.low), placeOn(scale, interval.high)];
    const [x1, x2] = [placeX(scale, interval.low), placeX(scale, interval.high)];
    parts.push(
      `<line x1="${px(x1)}" x2="${px(x2)}" y1="${px(y)}" y2="${px(y)}" stroke="${colour}" stroke-width="1.5"/>`,
    );
    for (const [x, { beyond }] of [
      [x1, low],
      [x2, high],
    ] as const)
      parts.push(
        beyond === 0
          ? `<line x1="${px(x)}" x2="${px(x)}" y1="${px(y - 3.5)}" y2="${px(y + 3.5)}" stroke="${colour}" stroke-width="1.5"/>`
          : `<path d="M${px(x)},${px(y)}l${-5 * beyond},-3.5v7z" fill="${colour}"/>`,
      );
  }
  parts.push(
    `<circle cx="${px(placeX(scale, mean))}" cy="${px(y)}" r="3.5" fill="${isClear ? colour : '#ffffff'}" stroke="${colour}" stroke-width="1.5"/>`,
  );
  const says = [
    `${minus(signed(mean, decimals))}${interval ? ` ${minus(intervalWords(interval, decimals))}` : ''}`,
    p === null ? `n ${n}` : `p ${pWords(p)}`,
  ].join(', ');
  return [...parts, text(WIDTH - MARGIN, y + 4, says, 'text-anchor="end"')];
}
