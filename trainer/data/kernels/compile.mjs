// npm run build:kernels: compiles source/*.ts, which is AssemblyScript, to WebAssembly and puts it into compiled.ts. Done by hand
// after a change there, so that nobody else needs the compiler.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILER = 'assemblyscript@0.28.20';
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
const target = process.argv[2] ?? join(import.meta.dirname, 'compiled.ts');

const folder = mkdtempSync(join(tmpdir(), 'kernels-'));
try {
  const output = join(folder, 'kernels.wasm');
  const source = join(import.meta.dirname, 'source', 'index.ts');
  const npm = ['exec', '--yes', `--package=${COMPILER}`, '--', 'asc', source, ...OPTIONS, '-o', output];
  execFileSync('npm', npm, { cwd: import.meta.dirname, stdio: ['ignore', 'inherit', 'inherit'] });
  const lines = readFileSync(output)
    .toString('base64')
    .match(/.{1,120}/g)
    .map((line) => `  '${line}',`);
  writeFileSync(
    target,
    `/** Made by \`npm run build:kernels\` from source/*.ts: WebAssembly in base64. */\nexport const COMPILED_KERNELS: readonly string[] = [\n${lines.join('\n')}\n];\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
