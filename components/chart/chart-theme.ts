/** Colours and type of the page, for drawing on canvas. */
export interface ChartTheme {
  grid: string;
  text: string;
  mark: string;
  ground: string;
  font: string;
}

export function readChartTheme(): ChartTheme {
  const root = getComputedStyle(document.documentElement);
  const color = (name: string) => root.getPropertyValue(name).trim();
  return {
    grid: color('--line'),
    text: color('--ink-3'),
    mark: color('--line-strong'),
    ground: color('--surface'),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  };
}
