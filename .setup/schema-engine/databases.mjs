// Whole databases: the part of the schema engine that needs a connection to another database than the one named.
import pg from 'pg';

/** @returns pg's settings for a Prisma URL; `?schema=` is Prisma's own parameter and becomes the search path */
export function settingsOf(url) {
  if (!url)
    throw Object.assign(new Error('No database address: set DATABASE_URL or datasource.url.'), { code: 'P1012' });
  const target = new URL(url);
  const schema = target.searchParams.get('schema') ?? undefined;
  target.searchParams.delete('schema');
  const options = schema === undefined ? undefined : `-c search_path=${pg.escapeIdentifier(schema)}`;
  return { connectionString: target.toString(), options, connectionTimeoutMillis: 10_000, schema };
}

export const databaseOf = (url) => decodeURIComponent(new URL(url).pathname.slice(1));

export function withDatabase(url, name) {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.toString();
}

async function connected(url, work) {
  const { schema: _, ...settings } = settingsOf(url);
  const client = new pg.Client(settings);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export const canConnect = (url) => connected(url, (client) => client.query('SELECT 1'));

/** Through the database `postgres`, which every server has. @returns the name */
export async function createDatabase(url, name = databaseOf(url)) {
  await connected(withDatabase(url, 'postgres'), (client) =>
    client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`),
  );
  return name;
}

/** Connections to it are ended first, in the way that servers before 13 know, too. */
export function dropDatabase(url, name = databaseOf(url)) {
  return connected(withDatabase(url, 'postgres'), async (client) => {
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)}`);
  });
}
