/** Codes of Prisma, Node and Postgres that mean: the server is away, or refuses for the moment. */
const DOWN: ReadonlySet<unknown> = new Set([
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037'],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  ...['57P01', '57P02', '57P03', '53300', '08006', '08001'],
]);
const DOWN_MESSAGES = /^(Connection terminated|timeout exceeded when trying to connect|Cannot use a pool after)/;

export const DATABASE_DOWN = 'The database does not answer just now. Try again in a moment.';

/** True for an error that says nothing about what was asked, only that the database is not there. */
export function isDatabaseDown(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  // Prisma keeps what its adapter has heard from Postgres below `meta`.
  const { code, message = '', cause, meta } = error as Partial<ErrorOfPrisma>;
  return (
    DOWN.has(code) || DOWN_MESSAGES.test(message) || isDatabaseDown(cause) || isDatabaseDown(meta?.driverAdapterError)
  );
}

interface ErrorOfPrisma extends NodeJS.ErrnoException {
  meta: { driverAdapterError?: unknown };
}
