/** The API's foundation. Every procedure is for members: there is none that an unknown caller may use. */
import { AppError, type ErrorCode } from '@mealtable/protocol/errors';
import type { UserRole } from '@mealtable/protocol/statuses';
import type { FieldProblem } from '@mealtable/protocol/study-design';
import { initTRPC, TRPCError } from '@trpc/server';
import superjson from 'superjson';
import { z } from 'zod';
import { hasRole } from '../auth/roles.ts';
import type { ApiContext } from '../context.ts';
import { DATABASE_DOWN, isDatabaseDown } from '../database-down.ts';

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
  .meta<{ needs: UserRole }>()
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
      const { member } = ctx;
      if (!member) throw new AppError('unauthenticated', 'Sign in first, or send a program token.');
      if (!hasRole(member.role, needed))
        throw new AppError('forbidden', `This needs the role ${needed}; yours is ${member.role}.`);
      return next({ ctx: { ...ctx, member } });
    });

/** Reads. */
export const viewerProcedure = requireRole('viewer');
/** Writes studies, runs and agent tokens, and decides which runs hosts take. */
export const editorProcedure = requireRole('editor');
/** Writes members, hosts and everybody's tokens. */
export const ownerProcedure = requireRole('owner');

export const createRouter = t.router;
export const createCallerFactory = t.createCallerFactory;
