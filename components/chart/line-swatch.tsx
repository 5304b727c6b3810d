import { lineColor, lineDash, type Theme } from './palette';

/** A piece of the line, to find it by. */
export function LineSwatch({ line, theme }: { line: { color: number; dash?: number | undefined }; theme: Theme }) {
  return (
    <svg aria-hidden width="18" height="8" className="shrink-0">
      <line
        x1="0"
        x2="18"
        y1="4"
        y2="4"
        stroke={lineColor(line.color, theme)}
        strokeWidth="2.5"
        strokeDasharray={lineDash(line)?.join(' ')}
      />
    </svg>
  );
}
