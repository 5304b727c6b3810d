/** Postgres's and Node's codes that the Prisma command line reacts to under numbers of its own. */
const PRISMA_CODES = {
  '28P01': 'P1000',
  ECONNREFUSED: 'P1001',
  ENOTFOUND: 'P1001',
  ETIMEDOUT: 'P1002',
  '3D000': 'P1003',
  '42P04': 'P1009',
  28000: 'P1010',
};

/** An error in the words of the native engine. */
export function describeError(error) {
  // A host name with several addresses fails once for each of them.
  const cause = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const code = String(cause.code ?? '');
  return {
    error_code: /^P\d{4}$/.test(code) ? code : PRISMA_CODES[code],
    message: cause.message || String(cause),
    meta: cause.meta,
  };
}
