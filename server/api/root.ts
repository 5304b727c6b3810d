/** Every procedure of the API, by noun. */
import { meRouter } from './routers/me.ts';
import { membersRouter } from './routers/members.ts';
import { tokensRouter } from './routers/tokens.ts';
import { createCallerFactory, createRouter } from './trpc.ts';

export const appRouter = createRouter({
  me: meRouter,
  members: membersRouter,
  tokens: tokensRouter,
});
export type AppRouter = typeof appRouter;

/** The same door without HTTP, for tests. */
export const createCaller = createCallerFactory(appRouter);
