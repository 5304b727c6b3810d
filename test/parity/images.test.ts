/** Computes the numbers of test/data/image-reference.json again. Off by default, as timm's are, and switched on in the same way. */
import path from 'node:path';
import { expect, test } from 'vitest';
import committed from '../data/image-reference.json' with { type: 'json' };
import { pythonWith, runPythonFile } from '../support/python.ts';

const wanted = process.env.MEALTABLE_TORCH ?? '';
const python = wanted === '1' ? await pythonWith(['torch', 'torchvision', 'pillow', 'numpy']) : wanted || null;
const script = path.join(import.meta.dirname, 'make_image_reference.py');

test.skipIf(python === null)(
  'torchvision and Pillow still make the same of the pictures',
  { timeout: 120_000 },
  async () => {
    const again = JSON.parse(await runPythonFile(python!, script)) as typeof committed;
    const withoutValues = (items: { values: number[] }[]) => items.map(({ values: _, ...rest }) => rest);
    for (const part of ['centre', 'crops', 'files'] as const) {
      // The encoder's bytes may change with its version; what a file decodes to belongs to the file.
      if (part !== 'files') expect(withoutValues(again[part])).toEqual(withoutValues(committed[part]));
      for (const [i, { values }] of again[part].entries())
        for (const [k, value] of values.entries())
          expect(Math.abs(value - committed[part][i]!.values[k]!), `${part} ${i}`).toBeLessThanOrEqual(1);
    }
  },
);
