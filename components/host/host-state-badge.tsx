import type { HostView } from '@mealtable/protocol/views';
import { CircleCheck, CircleHelp, Unplug } from 'lucide-react';
import { Badge } from '../ui/badge';

const STATES = {
  online: { word: 'Online', tone: 'good', icon: CircleCheck },
  unreachable: { word: 'Unreachable', tone: 'warn', icon: CircleHelp },
  detached: { word: 'Detached', tone: 'neutral', icon: Unplug },
} as const;

export function HostStateBadge({ state }: { state: HostView['state'] }) {
  const { word, tone, icon: Icon } = STATES[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden />
      {word}
    </Badge>
  );
}
