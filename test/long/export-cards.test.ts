/**
 * The programs in model cards, run as they stand by the Python that MEALTABLE_PYTHON names (see exports.test.ts): `npm run
 * test:exports`.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NetworkName } from '@mealtable/protocol/networks';
import { expect, test } from 'vitest';
import { timmCode } from '../../server/exports/study/load-code.ts';
import { finishStudy, makeWeights } from '../exports/support.ts';
import { factsOf } from '../support/exports.ts';
import { startTestHub } from '../support/hub.ts';
import { runPythonFile } from '../support/python.ts';

const python = process.env.MEALTABLE_PYTHON ?? '';
if (python === '') console.warn('Skipped: MEALTABLE_PYTHON names no Python to run model cards with.');
const SCRIPT = path.join(import.meta.dirname, 'support', 'run_cards.py');
const timeout = 900_000;

interface RunCard {
  front: { library_name: string; 'model-index': { results: { metrics: { name: string; value: number }[] }[] }[] };
  printed: string[];
}
const runCards = async (cards: string[]): Promise<RunCard[]> =>
  Object.values(JSON.parse(await runPythonFile(python, SCRIPT, ...cards)));

test.skipIf(python === '')('cards of a study’s zip', { timeout }, async () => {
  const hub = await startTestHub();
  const folder = await mkdtemp(path.join(tmpdir(), 'mealtable-cards-'));
  try {
    const { cookie } = await hub.addMember('viewer');
    const { studyId } = await finishStudy(hub.hub, 'A: "study" <b> | with \\ and `code`');
    const address = `${hub.url}/api/studies/${studyId}/models.zip?formats=onnx,saved-model`;
    const zip = path.join(folder, 'models.zip');
    await writeFile(zip, Buffer.from(await (await fetch(address, { headers: { cookie } })).arrayBuffer()));
    execFileSync('python3', ['-m', 'zipfile', '-e', zip, folder]);
    const root = path.join(folder, (await readdir(folder)).find((name) => name !== 'models.zip')!);
    const models = (await readdir(root)).filter((name) => /^\d\d-/.test(name)).sort();
    const cards = await runCards(models.map((name) => path.join(root, name, 'README.md')));
    expect(cards).toHaveLength(2);
    for (const { front, printed } of cards) {
      expect(front.library_name).toBe('timm');
      // timm's five best, and the same best class by ONNX Runtime and by TensorFlow.
      const [timm, ...others] = printed;
      const best = timm!.match(/indices=tensor\(\[\[(\d+)/)?.[1];
      expect(others.map((text) => text.trim())).toEqual([`[${best}]`, `[${best}]`]);
    }
    expect(cards[1]!.front['model-index'][0]!.results[0]!.metrics).toEqual([
      { type: 'accuracy', name: 'Top-1', value: 72 },
      { type: 'accuracy', name: 'Top-1, mean over seeds', value: 71.5 },
    ]);
  } finally {
    await hub.close();
    await rm(folder, { recursive: true });
  }
});

test.skipIf(python === '')('timm builds every kind of network as the cards say', { timeout }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mealtable-timm-'));
  const networks: NetworkName[] = [
    'resnet34_w8',
    'resnet50_w16',
    'resnet17s_w8',
    'senet19_w8',
    'efficientnet_b0_w8',
    'tf_efficientnet_b0_w8',
    'mobilenetv3_small_025',
    'tf_mobilenetv3_large_025',
    'mobilenetv3_small_050',
    'resnet18',
  ];
  try {
    const cards: string[] = [];
    for (const network of networks) {
      const at = path.join(folder, network);
      await mkdir(at);
      await writeFile(path.join(at, 'model.safetensors'), await makeWeights(network, 1));
      const card = path.join(at, 'README.md');
      await writeFile(card, `---\n{}\n---\n\`\`\`python\n${timmCode(factsOf(network), 'model.safetensors')}\n\`\`\`\n`);
      cards.push(card);
    }
    for (const { printed } of await runCards(cards)) expect(printed[0]).toMatch(/^torch\.return_types\.topk/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
