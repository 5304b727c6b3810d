/** The API's foundation. Every procedure is for members, and a few for visitors of a share link: none for an unknown caller. */
import { AppError, type ErrorCode } from '@mealtable/protocol/errors';
import type { UserRole } from '@mealtable/protocol/statuses';
import type { FieldProblem } from '@mealtable/protocol/study-design';
import { initTRPC, TRPCError } from '@trpc/server';
import superjson from 'superjson';
import { z } from 'zod';
import { hasRole } from '../auth/roles.ts';
import type { ApiContext } from '../context.ts';
import { DATABASE_DOWN, isDatabaseDown } from '../database-down.ts';
import { requireWithinShare, type ShareScope } from '../shares/scope.ts';

// ---- 1. context: ApiContext, made by http/dispatch-trpc.ts for each request ------------------------------------------

// ---- 2. init: one transformer, one error shape ---------------------------------------------------------------------

const TRPC_CODES = {
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  conflict: 'CONFLICT',
  invalid: 'UNPROCESSABLE_CONTENT',
  too_large: 'PAYLOAD_TOO_LARGE',
  unavailable: 'SERVICE_UNAVAILABLE',
} as const satisfies Record<ErrorCode, TRPCError['code']>;

/** What a page finds in `error.data.appError`. */
export interface AppErrorView {
  code: ErrorCode;
  problems: FieldProblem[];
}

const MASKED_MESSAGE = 'Something went wrong in the hub. Its output has the details.';

const t = initTRPC
  .context<ApiContext>()
  .meta<{ needs: UserRole; isShared?: boolean }>()
  .create({
    transformer: superjson,
    isDev: false,
    errorFormatter({ shape, error }) {
      const appError: AppErrorView | null =
        error.cause instanceof AppError ? { code: error.cause.code, problems: error.cause.problems } : null;
      const masked = error.code === 'INTERNAL_SERVER_ERROR';
      return { ...shape, message: masked ? MASKED_MESSAGE : shape.message, data: { ...shape.data, appError } };
    },
  });

/** An input that zod refused, as field problems; the first one is the sentence. */
function describeInputFault(fault: z.ZodError): AppError {
  const problems = fault.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const first = problems[0];
  return new AppError('invalid', first?.path ? `${first.path}: ${first.message}` : (first?.message ?? ''), problems);
}

const explainDown = (cause: unknown) => (isDatabaseDown(cause) ? new AppError('unavailable', DATABASE_DOWN) : cause);

/** AppErrors and refused inputs leave with their own code and status instead of tRPC's 500 and 400. */
const errorMapping = t.middleware(async ({ next }) => {
  const result = await next();
  if (result.ok) return result;
  const { cause } = result.error;
  const known = cause instanceof z.ZodError ? describeInputFault(cause) : explainDown(cause);
  if (known instanceof AppError)
    throw new TRPCError({ code: TRPC_CODES[known.code], message: known.message, cause: known });
  return result;
});

// ---- 3. procedures: one per role, each including the ones below it ---------------------------------------------------

const requireRole = (needed: UserRole) =>
  t.procedure
    .use(errorMapping)
    .meta({ needs: needed })
    .use(({ ctx, next }) => {
      const { member, visitor } = ctx;
      if (!member && visitor) throw new AppError('forbidden', 'A share link shows its study and nothing else.');
      if (!member) throw new AppError('unauthenticated', 'Sign in first, or send a program token.');
      if (!hasRole(member.role, needed))
        throw new AppError('forbidden', `This needs the role ${needed}; yours is ${member.role}.`);
      return next({ ctx: { ...ctx, member } });
    });

/** Reads. */
export const viewerProcedure = requireRole('viewer');
/**
 * Reads that visitors of a share link may make as well, of its study alone. `ctx.visitor` is then set, and what the procedure answers
 * must hold no names of people or hosts (shares/redact.ts).
 * @param scopeOf what an input asks about; what is not of the link's study does not exist for its visitors
 */
export function sharedProcedure<S extends z.ZodType>(input: S, scopeOf: (input: z.output<S>) => ShareScope) {
  return t.procedure
    .use(errorMapping)
    .meta({ needs: 'viewer', isShared: true })
    .use(({ ctx, next }) => {
      if (!ctx.member && !ctx.visitor) throw new AppError('unauthenticated', 'Sign in first, or send a program token.');
      return next();
    })
    .input(input)
    .use(async ({ ctx, input: parsed, next }) => {
      const visitor = ctx.member ? null : (ctx.visitor ?? null);
      if (visitor) await requireWithinShare(ctx.pool, visitor, scopeOf(parsed as z.output<S>));
      return next({ ctx: { ...ctx, visitor } });
    });
}
/** Writes studies, runs and agent tokens, and decides which runs hosts take. */
export const editorProcedure = requireRole('editor');
/** Writes members, hosts and everybody's tokens. */
export const ownerProcedure = requireRole('owner');

export const createRouter = t.router;
export const createCallerFactory = t.createCallerFactory;
