import type { EventKind } from '@mealtable/protocol/events';
import {
  Ban,
  CircleCheck,
  CircleX,
  FlaskConical,
  Link2,
  Link2Off,
  ListChecks,
  ListPlus,
  type LucideIcon,
  Pause,
  Play,
  Plus,
  RotateCcw,
  Server,
  ServerOff,
  Webhook,
} from 'lucide-react';
import { cn } from '../ui/cn';

const LOOKS: Record<EventKind, { icon: LucideIcon; color: string }> = {
  'study-finished': { icon: ListChecks, color: 'text-accent' },
  'run-failed': { icon: CircleX, color: 'text-bad' },
  'dependents-failed': { icon: CircleX, color: 'text-bad' },
  'host-lost': { icon: ServerOff, color: 'text-warn' },
  'study-created': { icon: FlaskConical, color: 'text-accent' },
  'runs-added': { icon: Plus, color: 'text-accent' },
  'run-succeeded': { icon: CircleCheck, color: 'text-good' },
  'runs-cancelled': { icon: Ban, color: 'text-ink-3' },
  'cancel-requested': { icon: Ban, color: 'text-ink-3' },
  'runs-paused': { icon: Pause, color: 'text-ink-3' },
  'runs-resumed': { icon: Play, color: 'text-ink-3' },
  'epochs-extended': { icon: ListPlus, color: 'text-accent' },
  'study-shared': { icon: Link2, color: 'text-accent' },
  'share-revoked': { icon: Link2Off, color: 'text-ink-3' },
  'run-retried': { icon: RotateCcw, color: 'text-ink-3' },
  'host-attached': { icon: Server, color: 'text-good' },
  'host-detached': { icon: Server, color: 'text-ink-3' },
  test: { icon: Webhook, color: 'text-ink-3' },
};

export function EventIcon({ kind }: { kind: EventKind }) {
  const { icon: Icon, color } = LOOKS[kind];
  return <Icon aria-hidden className={cn('mt-0.5 size-4 shrink-0', color)} />;
}
