/** How the gate says no. */
import type { ServerResponse } from 'node:http';
import { ERROR_STATUS, type ErrorCode } from '@mealtable/protocol/errors';
import superjson from 'superjson';

/** Besides the API's codes, those that only the gate has. */
const GATE_STATUS = {
  bad_request: 400,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  too_many_tries: 429,
  wrong_host: 421,
  internal: 500,
} as const;
const STATUS = { ...ERROR_STATUS, ...GATE_STATUS } as const;

/** For what the caller can neither mend nor should know more about. */
export const INTERNAL_FAULT = 'Something went wrong in the hub. Its output has the details.';

export interface Refusal {
  code: ErrorCode | keyof typeof GATE_STATUS;
  message: string;
}

export function refuse(res: ServerResponse, pathname: string, { code, message }: Refusal): void {
  const body = pathname.startsWith('/api/trpc/') ? trpcError(code, message) : { error: { code, message } };
  res.statusCode = STATUS[code];
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Cache-Control', 'no-store');
  // What is left of a refused request's body is not read.
  if (!res.req.complete) res.setHeader('Connection', 'close');
  res.end(JSON.stringify(body));
}

/** The shape of a procedure's own error, so that the page's client reads the code in one place. */
function trpcError(code: Refusal['code'], message: string) {
  const httpStatus = STATUS[code];
  const data = { code: code.toUpperCase(), httpStatus, appError: { code, problems: [] } };
  return { error: superjson.serialize({ message, code: -32_000 - (httpStatus % 100), data }) };
}
