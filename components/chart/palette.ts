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

/** @param opacity 0 to 1 */
export function lineColor(index: number, theme: Theme, opacity = 1): string {
  const [lightness, chroma, hue] = COLORS[theme][index % COLORS[theme].length] ?? [0.6, 0, 0];
  return `oklch(${lightness} ${chroma} ${hue} / ${opacity})`;
}

export const lineDash = (index: number): number[] | undefined =>
  DASHES[Math.floor(index / COLORS.light.length) % DASHES.length];
