import { fileURLToPath } from 'node:url';
import { defineConfig } from 'prisma/config';

// The CLI looks for its native schema engine on every command, after loading this file. Where that binary cannot
// be fetched, Prisma's own engine compiled to WebAssembly answers in its place; a binary of one's own still wins.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= fileURLToPath(new URL('./.setup/schema-engine.mjs', import.meta.url));
process.env.CHECKPOINT_DISABLE ??= '1';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5544/mealtable' },
});
