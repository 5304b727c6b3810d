/** Line colours: eight far apart, in a set for light and one for dark ground; then the same, dashed. */
export type Theme = 'light' | 'dark';

/** [lightness, chroma, hue] of OKLCH; neighbours in the list differ most, so that few lines are told apart best. */
const COLORS: Record<Theme, readonly (readonly [number, number, number])[]> = {
  light: [
    [0.52, 0.17, 260],
    [0.66, 0.16, 52],
    [0.56, 0.13, 155],
    [0.58, 0.2, 350],
    [0.64, 0.11, 215],
    [0.5, 0.19, 300],
    [0.66, 0.13, 105],
    [0.54, 0.19, 27],
  ],
  dark: [
    [0.72, 0.13, 258],
    [0.78, 0.13, 60],
    [0.76, 0.14, 158],
    [0.73, 0.16, 350],
    [0.8, 0.1, 212],
    [0.7, 0.15, 302],
    [0.84, 0.14, 108],
    [0.68, 0.17, 27],
  ],
};
const DASHES: readonly (number[] | undefined)[] = [undefined, [6, 3], [2, 3], [8, 3, 2, 3]];

const colorAt = (index: number, theme: Theme) => COLORS[theme][index % COLORS[theme].length] ?? [0.6, 0, 0];

/** @param opacity 0 to 1 */
export function lineColor(index: number, theme: Theme, opacity = 1): string {
  const [lightness, chroma, hue] = colorAt(index, theme);
  return `oklch(${lightness} ${chroma} ${hue} / ${opacity})`;
}

/** By the line's own dash, or by the round of the palette that its colour is of. */
export const lineDash = ({ color, dash }: { color: number; dash?: number | undefined }): number[] | undefined =>
  DASHES[(dash ?? Math.floor(color / COLORS.light.length)) % DASHES.length];

/** The same as #rrggbb, for programs that set papers. Björn Ottosson's OKLab to linear sRGB, then the curve of sRGB (IEC 61966-2-1). */
export function lineHex(index: number, theme: Theme): string {
  const [lightness, chroma, hue] = colorAt(index, theme);
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const channels = linear.map((value) => {
    const shown = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, shown)))
      .toString(16)
      .padStart(2, '0');
  });
  return `#${channels.join('')}`;
}
