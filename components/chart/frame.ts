/** Where the places of the axes are on a drawing, in its own unit: the canvas of a page, or a figure for a paper. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  x: { min: number; max: number };
  y: { min: number; max: number };
  isLog: boolean;
}

export const placeX = ({ left, width, x }: Frame) => {
  const scale = width / (x.max - x.min || 1);
  return (value: number) => left + (value - x.min) * scale;
};

export const placeY = ({ top, height, y, isLog }: Frame) => {
  const of = isLog ? Math.log10 : (value: number) => value;
  const scale = height / (of(y.max) - of(y.min) || 1);
  const base = of(y.min);
  return (value: number) => top + height - (of(value) - base) * scale;
};
