/** How images are prepared for published weights, against timm's own settings. Switched on as timm.test.ts is. */
import path from 'node:path';
import { NETWORK_NAMES, NETWORKS } from '@mealtable/protocol/networks';
import { expect, test } from 'vitest';
import { pythonWith, runPythonFile } from '../support/python.ts';

const wanted = process.env.MEALTABLE_TORCH ?? '';
const python = wanted === '1' ? await pythonWith(['torch', 'timm', 'safetensors', 'numpy']) : wanted || null;

test.skipIf(python === null)(
  'images are prepared for every published weights as timm prepares them',
  async () => {
    const published = NETWORK_NAMES.flatMap((name) =>
      NETWORKS[name].weights.map(({ tag, preprocessing }) => ({ name: `${name}.${tag}`, preprocessing })),
    );
    const script = path.join(import.meta.dirname, 'timm_settings.py');
    const settings: unknown[] = JSON.parse(await runPythonFile(python!, script, ...published.map(({ name }) => name)));
    expect(published).toEqual(published.map(({ name }, i) => ({ name, preprocessing: settings[i] })));
  },
  120_000,
);
