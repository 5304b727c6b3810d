/** The colours of app/globals.css: text can be read on everything it stands on, in both themes. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

type Oklch = readonly [lightness: number, chroma: number, hue: number];

const css = readFileSync(path.resolve(import.meta.dirname, '../../app/globals.css'), 'utf8');

function colorsOf(selector: string): Map<string, Oklch> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf('\n}', start));
  const found = block.matchAll(/--([\w-]+): oklch\(([\d.]+) ([\d.]+) ([\d.]+)\);/g);
  return new Map([...found].map(([, name, l, c, h]) => [name!, [Number(l), Number(c), Number(h)]]));
}

/** Relative luminance, WCAG 2, by way of linear sRGB (Ottosson's matrices for OKLab). */
function luminance([lightness, chroma, hue]: Oklch): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (x: number) => Math.min(1, Math.max(0, x));
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Oklch, other: Oklch): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

const GROUNDS = ['canvas', 'surface', 'raised', 'sunken', 'hover'];
const TEXTS = ['ink', 'ink-2', 'ink-3', 'accent', 'good', 'bad', 'warn'];
const PAIRS: [text: string, ground: string][] = [
  ...TEXTS.flatMap((text) => GROUNDS.map((ground): [string, string] => [text, ground])),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
  ['accent', 'accent-soft'],
  ['good', 'good-soft'],
  ['bad', 'bad-soft'],
  ['warn', 'warn-soft'],
  ['ink-2', 'bad-soft'],
  ['ink-3', 'bad-soft'],
  ['ink-2', 'warn-soft'],
  ['ink-3', 'accent-soft'],
];

describe.each([
  ['light', ':root'],
  ['dark', '.dark'],
])('in the %s theme', (_, selector) => {
  const colors = colorsOf(selector);
  it.each(PAIRS)('%s on %s has at least 4.5:1', (text, ground) => {
    const [front, back] = [colors.get(text), colors.get(ground)];
    if (!front || !back) throw new Error(`globals.css has no ${front ? ground : text} in ${selector}.`);
    expect(contrast(front, back)).toBeGreaterThanOrEqual(4.5);
  });
});
