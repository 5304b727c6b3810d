/**
 * What this project commits of PyTorch's files, written again by PyTorch itself, and its own cache read by Python's tools.
 * Needs PyTorch and timm: MEALTABLE_TORCH=1, or a Python that has them (see timm.test.ts).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { obtainWeights } from '../../trainer/weights/sources/obtain-weights.ts';
import { readAll } from '../../trainer/weights/tensor-source.ts';
import { openTorchCheckpoint } from '../../trainer/weights/torch/torch-checkpoint.ts';
import { pythonWith, runPython, runPythonFile } from '../support/python.ts';
import { describeTensors } from '../support/torch-tensors.ts';
import { WeightsHub } from '../support/weights-hub.ts';

const wanted = process.env.MEALTABLE_TORCH ?? '';
const python = wanted === '1' ? await pythonWith(['torch', 'timm', 'safetensors', 'numpy']) : wanted || null;
const SCRIPT = path.join(import.meta.dirname, 'make_torch_files.py');
const COMMITTED = path.join(import.meta.dirname, '../weights/torch-files/expected.json');

describe.skipIf(python === null)('with PyTorch', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mealtable-torch-files-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('its files of today hold what the committed ones hold', async () => {
    await runPythonFile(python!, SCRIPT, folder);
    const expected = JSON.parse(await readFile(COMMITTED, 'utf8'));
    expect(JSON.parse(await readFile(path.join(folder, 'expected.json'), 'utf8'))).toEqual(expected);
    for (const name of ['zip.pth', 'legacy.pth', 'wrapped.pth', 'protocol4.pth']) {
      const file = await openTorchCheckpoint(path.join(folder, name));
      expect(describeTensors(await readAll(file)), name).toEqual(expected);
      await file.close();
    }
  });

  test('huggingface_hub finds our downloads in the cache', async () => {
    const hub = await WeightsHub.start(Buffer.from('weights'));
    const env = { HF_HOME: path.join(folder, 'hf'), HF_ENDPOINT: hub.endpoint, MEALTABLE_WEIGHTS_DIR: folder };
    const obtain = () =>
      obtainWeights('resnet18.tv_in1k', { env, log: () => {}, signal: new AbortController().signal });
    try {
      const ours = await obtain();
      const program = `
import os, sys
os.environ["HF_HOME"] = sys.argv[1]
os.environ["HF_HUB_OFFLINE"] = "1"
from huggingface_hub import hf_hub_download
print(hf_hub_download("timm/resnet18.tv_in1k", "model.safetensors"))
`;
      expect((await runPython(python!, program, env.HF_HOME)).trim()).toBe(ours);
    } finally {
      await hub.stop();
    }
  });
});
