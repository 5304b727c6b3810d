import { CircleAlert, Info, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { cn } from './cn';

const LOOKS: Record<'info' | 'warn' | 'bad', { icon: LucideIcon; box: string; text: string }> = {
  info: { icon: Info, box: 'border-line bg-sunken', text: 'text-ink-3' },
  warn: { icon: TriangleAlert, box: 'border-warn-line bg-warn-soft', text: 'text-warn' },
  bad: { icon: CircleAlert, box: 'border-bad-line bg-bad-soft', text: 'text-bad' },
};

/** A remark that stays on the page. */
export function Notice({
  tone = 'info',
  title,
  children,
  className,
}: {
  tone?: 'info' | 'warn' | 'bad';
  title?: ReactNode;
  children?: ReactNode;
  className?: string;
}) {
  const { icon: Icon, box, text } = LOOKS[tone];
  return (
    <div
      role={tone === 'bad' ? 'alert' : undefined}
      className={cn('flex items-start gap-2.5 rounded-lg border px-3 py-2 text-sm', box, className)}
    >
      <Icon aria-hidden className={cn('mt-0.5 size-4 shrink-0', text)} />
      <div className="min-w-0 grow">
        {title && <p className="font-medium">{title}</p>}
        {children && <div className="text-ink-2">{children}</div>}
      </div>
    </div>
  );
}
