#!/usr/bin/env node
// Answers the Prisma command line in place of its native schema engine, where that binary cannot be fetched: Prisma's
// own engine compiled to WebAssembly does the work. prisma.config.ts names this file in PRISMA_SCHEMA_ENGINE_BINARY.
// The command line speaks to it in two ways: `cli <command>` for whole databases, otherwise JSON-RPC, one message a line.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { adapterFactory } from './schema-engine/adapter.mjs';
import { canConnect, createDatabase, dropDatabase } from './schema-engine/databases.mjs';
import { describeError } from './schema-engine/errors.mjs';
import { engineVersion, loadSchemaEngine } from './schema-engine/wasm.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    datamodels: { type: 'string', multiple: true },
    datasource: { type: 'string' },
    'enabled-preview-features': { type: 'string' },
    'extension-types': { type: 'string' },
    version: { type: 'boolean' },
  },
});
const url = flags.datasource === undefined ? undefined : JSON.parse(flags.datasource).url;

if (flags.version) console.log(`schema-engine-wasm ${engineVersion()}`);
else if (positionals[0] === 'cli') await runDatabaseCommand(positionals[1]);
else serveRequests();

async function runDatabaseCommand(name) {
  const commands = {
    'can-connect-to-database': canConnect,
    'create-database': createDatabase,
    'drop-database': dropDatabase,
  };
  try {
    if (!(name in commands)) throw new Error(`Unknown command "${name}".`);
    await commands[name](url);
  } catch (error) {
    const fault = { level: 'ERROR', target: 'schema_engine::logger', fields: describeError(error) };
    // The command line skips the first line and reads each further one as JSON.
    process.stderr.write(`failed\n${JSON.stringify(fault)}`);
    process.exitCode = 1;
  }
}

function serveRequests() {
  const engine = lazily(async () => {
    const SchemaEngine = await loadSchemaEngine();
    const datamodels = flags.datamodels?.map((file) => [file, readFileSync(file, 'utf8')]);
    const log = (line) => process.env.DEBUG && process.stderr.write(`${line}\n`);
    return SchemaEngine.new({ datamodels }, log, bindMigrationAwareSqlAdapterFactory(adapterFactory(url)));
  });
  const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

  async function answer({ method, params }) {
    if (method === 'createDatabase') return { databaseName: await createDatabase(url) };
    const loaded = await engine();
    if (method === 'getDatabaseVersion') return loaded.version(params);
    if (typeof loaded[method] !== 'function') throw new Error(`The schema engine has no method "${method}".`);
    const result = (await loaded[method](params)) ?? {};
    if (method !== 'diff') return result;
    // The native engine has the command line print a diff while it is at work.
    if (typeof result.stdout === 'string') send({ id: 0, method: 'print', params: { content: result.stdout } });
    return { ...result, stdout: null };
  }

  let atWork = 0;
  let inputEnded = false;
  const endWhenIdle = () => inputEnded && atWork === 0 && process.exit();
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => {
    inputEnded = true;
    endWhenIdle();
  });
  lines.on('line', async (line) => {
    const message = line.trim() === '' ? {} : JSON.parse(line);
    if (message.method === undefined) return; // an answer to our `print`
    atWork += 1;
    try {
      send({ id: message.id, result: await answer(message) });
    } catch (error) {
      const fault = describeError(error);
      send({ id: message.id, error: { code: 4466, message: fault.message, data: { is_panic: false, ...fault } } });
    }
    atWork -= 1;
    endWhenIdle();
  });
}

function lazily(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}
