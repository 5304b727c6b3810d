/** The committed WebAssembly against its source. Off by default: it needs the compiler, which npm fetches. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';

const KERNELS = path.resolve(import.meta.dirname, '../../trainer/data/kernels');

test.skipIf(process.env.MEALTABLE_TORCH !== '1')(
  'the kernels are what their source compiles to',
  { timeout: 120_000 },
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kernels-'));
    try {
      const compiled = path.join(folder, 'compiled.ts');
      execFileSync(process.execPath, [path.join(KERNELS, 'compile.mjs'), compiled]);
      expect(readFileSync(compiled, 'utf8')).toBe(readFileSync(path.join(KERNELS, 'compiled.ts'), 'utf8'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
