import { cn } from './cn';

interface ProgressProps {
  /** 0 to 1; null while the length is not known. */
  value: number | null;
  label: string;
  tone?: 'accent' | 'good' | 'bad' | 'muted';
  className?: string;
}
const FILLS = { accent: 'bg-accent', good: 'bg-fill-good', bad: 'bg-fill-bad', muted: 'bg-fill-muted' };

export function Progress({ value, label, tone = 'accent', className }: ProgressProps) {
  const percent = value === null ? 0 : Math.max(0, Math.min(100, value * 100));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(percent)}
      className={cn('h-1.5 w-full overflow-hidden rounded-full bg-line', className)}
    >
      <div
        className={cn('h-full rounded-full transition-[width] duration-300', FILLS[tone])}
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}
