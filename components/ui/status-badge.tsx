'use client';
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleX,
  LoaderCircle,
  type LucideIcon,
  OctagonX,
  Rocket,
} from 'lucide-react';
import { type ShownStatus, STATUS_EXPLANATIONS, STATUS_WORDS } from '../words';
import { Badge, type Tone } from './badge';
import { cn } from './cn';
import { Tip } from './tooltip';

/** Shape and word say the same as the colour. */
const LOOKS: Record<ShownStatus, { icon: LucideIcon; tone: Tone; text: string; spin?: boolean }> = {
  queued: { icon: CircleDashed, tone: 'neutral', text: 'text-ink-3' },
  claimed: { icon: Rocket, tone: 'accent', text: 'text-accent' },
  running: { icon: LoaderCircle, tone: 'accent', text: 'text-accent', spin: true },
  succeeded: { icon: CircleCheck, tone: 'good', text: 'text-good' },
  failed: { icon: CircleX, tone: 'bad', text: 'text-bad' },
  cancelled: { icon: Ban, tone: 'neutral', text: 'text-ink-3' },
  paused: { icon: CirclePause, tone: 'warn', text: 'text-warn' },
  pausing: { icon: CirclePause, tone: 'warn', text: 'text-warn' },
  cancelling: { icon: OctagonX, tone: 'warn', text: 'text-warn' },
};

export function StatusIcon({ status, className }: { status: ShownStatus; className?: string }) {
  const { icon: Icon, text, spin } = LOOKS[status];
  return (
    <Icon
      aria-hidden
      className={cn('size-4 shrink-0', text, spin && 'animate-spin [animation-duration:2s]', className)}
    />
  );
}

export function StatusBadge({ status }: { status: ShownStatus }) {
  const { icon: Icon, tone, spin } = LOOKS[status];
  return (
    <Tip text={STATUS_EXPLANATIONS[status]}>
      <span className="inline-flex" data-status={status}>
        <Badge tone={tone}>
          <Icon aria-hidden className={cn(spin && 'animate-spin [animation-duration:2s]')} />
          {STATUS_WORDS[status]}
        </Badge>
      </span>
    </Tip>
  );
}

/** For dense tables: icon and word, no pill. */
export function StatusText({ status }: { status: ShownStatus }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap" data-status={status}>
      <StatusIcon status={status} className="size-3.5" />
      {STATUS_WORDS[status]}
    </span>
  );
}
