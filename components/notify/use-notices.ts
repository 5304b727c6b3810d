'use client';
import { NOTICE_KINDS } from '@mealtable/protocol/events';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';
import { changeNotifySettings, useNotifySettings } from './notify-settings';

/** The latest notices, and how many of them this browser has not shown yet. */
export function useNotices() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.events.notices.queryOptions(undefined, { staleTime: 60_000 }));
  const { seenId } = useNotifySettings();
  const refresh = useThrottle(() => void queryClient.invalidateQueries(trpc.events.notices.queryFilter()), 1_000);
  useWatch({ kind: 'all' }, { onJoined: refresh });
  useLiveEvent('event:noted', (event) => {
    if ((NOTICE_KINDS as readonly string[]).includes(event.kind)) refresh();
  });
  // A study that is removed takes its events with it.
  useLiveEvent('study:changed', refresh);
  const newestId = query.data ? (query.data[0]?.id ?? 0) : null;
  // What happened before this browser first came is no news.
  useEffect(() => {
    if (seenId === null && newestId !== null) changeNotifySettings({ seenId: newestId });
  }, [seenId, newestId]);
  const unread = seenId === null ? 0 : (query.data ?? []).filter((event) => event.id > seenId).length;
  return { query, unread, seenId, newestId };
}
