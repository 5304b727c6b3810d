'use client';
import { useQuery } from '@tanstack/react-query';
import { useTRPC } from '../trpc-provider';

/** Who is signed in and what they may do. Until it is known, nothing that writes is offered. */
export function useMe() {
  const trpc = useTRPC();
  const { data: me } = useQuery(trpc.me.get.queryOptions(undefined, { staleTime: 60_000 }));
  return { me, canEdit: me?.role === 'owner' || me?.role === 'editor', isOwner: me?.role === 'owner' };
}
