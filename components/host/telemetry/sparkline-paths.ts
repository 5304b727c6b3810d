/** The outlines of a sparkline. */

/**
 * @param top value at the upper edge; what is above is drawn there
 * @returns SVG paths; a null ends one piece, and the next value begins another
 */
export function sparklinePaths(
  at: readonly number[],
  values: readonly (number | null)[],
  top: number,
  width: number,
  height: number,
): { line: string; area: string } {
  const [first, last] = [at[0] ?? 0, at.at(-1) ?? 0];
  const span = Math.max(1, last - first);
  const pieces: { x: string; y: string }[][] = [];
  let isOpen = false;
  values.forEach((value, i) => {
    const time = at[i];
    if (value === null || time === undefined) {
      isOpen = false;
      return;
    }
    if (!isOpen) pieces.push([]);
    isOpen = true;
    const share = Math.min(1, Math.max(0, value / top));
    // A line at the very edge would be cut in half.
    const y = height - 1 - share * (height - 2);
    pieces.at(-1)!.push({ x: (((time - first) / span) * width).toFixed(2), y: y.toFixed(2) });
  });
  const draw = (points: { x: string; y: string }[]) => `M${points.map(({ x, y }) => `${x} ${y}`).join('L')}`;
  return {
    // A lone point is as long as it takes to see it.
    line: pieces.map((points) => (points.length === 1 ? `${draw(points)}h0.8` : draw(points))).join(''),
    area: pieces
      .filter((points) => points.length > 1)
      .map((points) => `${draw(points)}L${points.at(-1)!.x} ${height}L${points[0]!.x} ${height}Z`)
      .join(''),
  };
}
