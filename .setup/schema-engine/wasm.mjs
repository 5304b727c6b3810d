// Loads the engine. Its package imports a .wasm file like a module, which Node 20 cannot do, so it is put together here.
import { readFileSync } from 'node:fs';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';

const fileOf = (name) => new URL(name, import.meta.resolve('@prisma/schema-engine-wasm'));

export const engineVersion = () => JSON.parse(readFileSync(fileOf('package.json'), 'utf8')).version;

export async function loadSchemaEngine() {
  // A panic inside WebAssembly ends as a bare trap outside any awaited call; its words arrive here beforehand.
  let panic;
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    set_message(message) {
      panic = message;
    },
  };
  process.on('uncaughtException', (error) => {
    const fields = { message: panic ?? error.stack };
    const line = JSON.stringify({ level: 'ERROR', target: 'schema_engine', fields });
    process.stderr.write(`${line}\n`, () => process.exit(1));
  });
  const { instance } = await WebAssembly.instantiate(readFileSync(fileOf('schema_engine_bg.wasm')), {
    './schema_engine_bg.js': glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue.SchemaEngine;
}
