'use client';
import type { TokenView } from '@mealtable/protocol/views';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { useTRPC } from '../trpc-provider';
import { Badge } from '../ui/badge';
import { Button } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { SkeletonRows } from '../ui/skeleton';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';
import { USER_ROLE_WORDS } from '../words';
import { CreateTokenDialog } from './create-token-dialog';

export function TokensSection() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const tokens = useQuery(trpc.tokens.list.queryOptions());
  const [isCreating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<TokenView | null>(null);
  const refresh = () => queryClient.invalidateQueries(trpc.tokens.list.queryFilter());
  const revoke = useMutation(
    trpc.tokens.revoke.mutationOptions({
      onSuccess: () => setRevoking(null),
      onSettled: refresh,
      onError: (error) => toastError('The token was not revoked', error),
    }),
  );
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> Create a token
    </Button>
  );
  return (
    <Section
      title="Tokens"
      hint="Agent tokens attach hosts. Program tokens let scripts read, write and download."
      actions={tokens.data && tokens.data.length > 0 ? create : undefined}
    >
      {tokens.isPending && <SkeletonRows rows={3} label="tokens" />}
      {tokens.isError && <ErrorState what="The tokens" error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && (
        <EmptyState icon={KeyRound} title="No tokens" actions={create}>
          Create one to attach a host or to reach the hub from a script.
        </EmptyState>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <Table label="Tokens">
          <thead>
            <tr>
              <Th>Label</Th>
              <Th>Kind</Th>
              <Th>Starts with</Th>
              <Th>Created</Th>
              <Th>Last used</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </thead>
          <tbody>
            {tokens.data.map((token) => (
              <Tr key={token.id}>
                <Td className="max-w-72 truncate font-medium" title={token.label}>
                  {token.label}
                </Td>
                <Td>
                  <Badge>{token.kind === 'agent' ? 'Agent' : 'Program'}</Badge>
                  {token.role && <span className="ml-2 text-ink-3 text-xs">{USER_ROLE_WORDS[token.role].name}</span>}
                </Td>
                <Td className="num text-ink-2 text-xs">{token.hint}…</Td>
                <Td className="text-ink-2">
                  <RelativeTime at={token.createdAt} /> <span className="text-ink-3">by {token.createdBy}</span>
                </Td>
                <Td className="text-ink-2">
                  <RelativeTime at={token.lastUsedAt} none="Never" />
                </Td>
                <Td align="right">
                  <Button
                    variant="ghost"
                    size="sm"
                    onClick={() => setRevoking(token)}
                    aria-label={`Revoke ${token.label}`}
                  >
                    Revoke
                  </Button>
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
      <CreateTokenDialog open={isCreating} onOpenChange={setCreating} onCreated={() => void refresh()} />
      <ConfirmDialog
        open={revoking !== null}
        onOpenChange={(open) => !open && setRevoking(null)}
        title={`Revoke “${revoking?.label ?? ''}”?`}
        confirmLabel="Revoke the token"
        busy={revoke.isPending}
        onConfirm={() => revoking && revoke.mutate({ id: revoking.id })}
      >
        <p>
          {revoking?.kind === 'agent'
            ? 'Agents that use it are disconnected and cannot come back with it.'
            : 'Programs that use it are refused from now on.'}
        </p>
      </ConfirmDialog>
    </Section>
  );
}
