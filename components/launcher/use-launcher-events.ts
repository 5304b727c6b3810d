'use client';
import type { LauncherEventView } from '@mealtable/protocol/launcher-views';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLiveEvent, useThrottle, useWatch } from '../live-socket';
import { useTRPC } from '../trpc-provider';

/** Events of a launcher, oldest first: what is stored, then what comes. Null until they are known. */
export function useLauncherEvents(id: string): LauncherEventView[] | null {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [events, setEvents] = useState<LauncherEventView[] | null>(null);
  const last = events?.at(-1)?.id ?? null;
  const fetchMore = useThrottle(() => {
    queryClient.fetchQuery(trpc.launchers.events.queryOptions({ id, after: last }, { staleTime: 0 })).then(
      (more) =>
        setEvents((old) => {
          const known = old?.at(-1)?.id ?? 0;
          return [...(old ?? []), ...more.filter((event) => event.id > known)];
        }),
      // The hub is away for a moment: the next event, or coming back, asks again.
      () => {},
    );
  }, 400);
  useEffect(fetchMore, [fetchMore]);
  useWatch({ kind: 'all' }, { onJoined: fetchMore });
  useLiveEvent('launcher:changed', ({ launcherId }) => {
    if (launcherId === id) fetchMore();
  });
  return events;
}
