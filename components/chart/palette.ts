/** Line colours: ten hues far apart, each in a shade for light and one for dark ground; then the same, dashed. */
export type Theme = 'light' | 'dark';

const HUES = [258, 45, 158, 345, 205, 300, 88, 20, 130, 235] as const;
const SHADES: Record<Theme, { lightness: number; chroma: number }> = {
  light: { lightness: 0.56, chroma: 0.15 },
  dark: { lightness: 0.74, chroma: 0.125 },
};
const DASHES: readonly (number[] | undefined)[] = [undefined, [6, 3], [2, 3], [8, 3, 2, 3]];

/** @param opacity 0 to 1 */
export function lineColor(index: number, theme: Theme, opacity = 1): string {
  const { lightness, chroma } = SHADES[theme];
  const hue = HUES[index % HUES.length];
  return `oklch(${lightness} ${chroma} ${hue} / ${opacity})`;
}

export const lineDash = (index: number): number[] | undefined =>
  DASHES[Math.floor(index / HUES.length) % DASHES.length];
