'use client';
import { EVENT_KINDS, TOLD_KINDS } from '@mealtable/protocol/events';
import type { WebhookView } from '@mealtable/protocol/webhooks';
import { Ellipsis, KeyRound, ListChecks, Pencil, Send, Trash2 } from 'lucide-react';
import { plural } from '../format';
import { Badge } from '../ui/badge';
import { Button, IconButton } from '../ui/button';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { Notice } from '../ui/notice';

interface WebhookCardProps {
  webhook: WebhookView;
  isTesting: boolean;
  onTest: () => void;
  onOpen: (dialog: 'edit' | 'deliveries' | 'renew' | 'remove') => void;
}

export function WebhookCard({ webhook, isTesting, onTest, onOpen }: WebhookCardProps) {
  const { label, url, kinds, enabled, allowsPrivate, counts, last } = webhook;
  const names =
    kinds.length === TOLD_KINDS.length ? 'Everything' : kinds.map((kind) => EVENT_KINDS[kind].name).join(' · ');
  return (
    <li className="rounded-panel border bg-surface px-4 py-3">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 grow basis-64">
          <h3 className="flex flex-wrap items-center gap-2">
            <span className="min-w-0 break-words font-medium">{label}</span>
            {!enabled && <Badge tone="warn">Off</Badge>}
            {allowsPrivate && <Badge>Private addresses allowed</Badge>}
          </h3>
          <p className="num mt-0.5 break-all text-ink-2 text-xs">{url}</p>
          <p className="mt-1 text-ink-3 text-xs">{names}</p>
        </div>
        <div className="flex items-center gap-1.5">
          <Button size="sm" onClick={onTest} busy={isTesting} disabled={!enabled} aria-label={`Test ${label}`}>
            <Send aria-hidden /> Test
          </Button>
          <Menu
            trigger={
              <IconButton label={`More for ${label}`} size="sm">
                <Ellipsis aria-hidden />
              </IconButton>
            }
          >
            <MenuItem icon={<ListChecks aria-hidden />} onSelect={() => onOpen('deliveries')}>
              Deliveries
            </MenuItem>
            <MenuItem icon={<Pencil aria-hidden />} onSelect={() => onOpen('edit')}>
              Edit
            </MenuItem>
            <MenuItem icon={<KeyRound aria-hidden />} onSelect={() => onOpen('renew')}>
              Renew the secret
            </MenuItem>
            <MenuSeparator />
            <MenuItem icon={<Trash2 aria-hidden />} danger onSelect={() => onOpen('remove')}>
              Remove
            </MenuItem>
          </Menu>
        </div>
      </div>
      <p className="mt-2 text-ink-3 text-xs">
        <button
          type="button"
          className="underline underline-offset-2 hover:text-ink"
          onClick={() => onOpen('deliveries')}
        >
          {plural(counts.delivered, 'delivery', 'deliveries')} made
        </button>
        {counts.pending > 0 && `, ${counts.pending} waiting`}
        {counts.failed > 0 && `, ${counts.failed} failed`}
      </p>
      {last?.lastError && (
        <Notice tone={last.status === 'failed' ? 'bad' : 'warn'} className="mt-2 break-words">
          {last.status === 'failed' ? 'The last delivery failed: ' : 'The last try failed and is made again: '}
          {last.lastError}
        </Notice>
      )}
    </li>
  );
}
