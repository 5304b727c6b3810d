'use client';
import { useQuery } from '@tanstack/react-query';
import { useIsShared } from '../share/shared-context';
import { useTRPC } from '../trpc-provider';

/** Who is signed in and what they may do. Until it is known, nothing that writes is offered. */
export function useMe() {
  const trpc = useTRPC();
  const isShared = useIsShared();
  const { data: me } = useQuery(trpc.me.get.queryOptions(undefined, { staleTime: 60_000, enabled: !isShared }));
  return { me, canEdit: me?.role === 'owner' || me?.role === 'editor', isOwner: me?.role === 'owner' };
}
