'use client';
/** The typed door to the hub's API: react-query over tRPC. */
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createTRPCClient, httpBatchLink, httpLink, splitLink } from '@trpc/client';
import { createTRPCContext } from '@trpc/tanstack-react-query';
import { type ReactNode, useState } from 'react';
import superjson from 'superjson';
import type { AppRouter } from '@/server/api/root';
import { readErrorCode } from './api-error';
import { goToSignIn } from './go-to-sign-in';
import { shareHeaders } from './share/share-secret';

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

const signInWhenSessionEnded = (error: unknown) => {
  if (readErrorCode(error) === 'unauthenticated') goToSignIn();
};

/** Only failures of the connection are worth another try; an answer of the hub stays what it is. */
const isWorthRetrying = (failures: number, error: unknown) => readErrorCode(error) === null && failures < 2;

function makeQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: 5_000, retry: isWorthRetrying, refetchOnWindowFocus: true },
      mutations: { retry: false },
    },
    queryCache: new QueryCache({ onError: signInWhenSessionEnded }),
    mutationCache: new MutationCache({ onError: signInWhenSessionEnded }),
  });
}

export function TrpcProvider({ children }: { children: ReactNode }) {
  const [queryClient] = useState(makeQueryClient);
  const [trpcClient] = useState(() =>
    createTRPCClient<AppRouter>({
      links: [
        splitLink({
          condition: ({ path }) => path === 'studies.estimate' || path.startsWith('runsTable.'),
          // A whole design, a filter with many columns: these inputs do not fit into an address. Nor does a table wait for others.
          true: httpLink({ url: '/api/trpc', transformer: superjson, methodOverride: 'POST', headers: shareHeaders }),
          false: httpBatchLink({
            url: '/api/trpc',
            transformer: superjson,
            maxURLLength: 4_000,
            headers: shareHeaders,
          }),
        }),
      ],
    }),
  );
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
        {children}
      </TRPCProvider>
    </QueryClientProvider>
  );
}
