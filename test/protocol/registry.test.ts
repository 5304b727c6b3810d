/** The list of networks and published weights, as the form's pickers and `npm run models` show it. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { NETWORK_NAMES } from '@mealtable/protocol/networks';
import { explainNameTrap, KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import { gigaMacs, NETWORKS_BY_FAMILY, REGISTRY, shortCount } from '@mealtable/protocol/registry';
import { describe, expect, it } from 'vitest';
import { formatModels, listModels } from '../../trainer/models-list/table.ts';

describe('the registry', () => {
  it('has every network and all weights once, the reduced ones last', () => {
    expect(NETWORKS_BY_FAMILY.flatMap(({ networks }) => networks).sort()).toEqual([...NETWORK_NAMES].sort());
    expect(REGISTRY.flatMap(({ weights }) => weights?.name ?? []).sort()).toEqual([...KNOWN_WEIGHTS.keys()].sort());
    expect(NETWORKS_BY_FAMILY.at(-1)?.family).toBe('reduced');
    expect(NETWORKS_BY_FAMILY.at(-1)?.networks).toContain('resnet18_w8');
  });

  it('lists what the published tables say', () => {
    const rows = listModels(['tf_efficientnet_b4.ns'], 224);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      weights: 'tf_efficientnet_b4.ns_jft_in1k',
      parameters: 19_341_616,
      inputSize: 380,
      cropFraction: 0.922,
      interpolation: 'bicubic',
      top1: 85.156,
      top5: 97.482,
    });
    expect(rows[0]!.gmacs).toBeCloseTo(1.504, 3);
  });

  it('filters by all words, in names and families', () => {
    expect(listModels(['mobilenetv3', 'lamb'], null).map(({ weights }) => weights)).toEqual([
      'mobilenetv3_small_050.lamb_in1k',
      'mobilenetv3_small_075.lamb_in1k',
      'mobilenetv3_small_100.lamb_in1k',
    ]);
    expect(listModels(['REDUCED'], null).every(({ weights }) => weights === null)).toBe(true);
  });

  it('warns of names that mean other weights today than in the paper, and of no others', () => {
    expect(explainNameTrap('tf_efficientnet_b4.ns_jft_in1k')).toEqual({
      mistakable: true,
      text: 'timm calls these tf_efficientnet_b4 today. MEAL V2 did not: by that name it meant tf_efficientnet_b4.aa_in1k.',
    });
    expect(explainNameTrap('resnet18.tv_in1k')).toEqual({ mistakable: false, text: 'What MEAL V2 calls resnet18.' });
    expect(explainNameTrap('senet154.gluon_in1k')).toBeNull();
    expect(formatModels(listModels(['b4'], null), null)).toMatch(
      /Names that are easily mistaken:\n {2}tf_efficientnet_b4/,
    );
    expect(formatModels(listModels(['senet154'], null), null)).not.toMatch(/mistaken/);
  });

  it('counts in few digits', () => {
    expect([25_557_032, 5_288_548, 255_000, 12].map(shortCount)).toEqual(['25.6M', '5.29M', '255k', '12']);
    expect([20.688e9, 4.089e9, 0.3858e9, 0.0434e9].map(gigaMacs)).toEqual(['20.7', '4.09', '0.386', '0.0434']);
  });
});

describe('npm run models', () => {
  const program = path.resolve(import.meta.dirname, '../../trainer/models-list/main.ts');
  const models = (...args: string[]) =>
    execFileSync(process.execPath, ['--import', 'tsx', program, ...args], { encoding: 'utf8', stdio: 'pipe' });

  it('prints JSON for programs, with GMACs at the size asked for', () => {
    const rows = JSON.parse(models('senet154', '--size', '380', '--json'));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ weights: 'senet154.gluon_in1k', gmacsAt: 380, inputSize: 224 });
    expect(rows[0].gmacs).toBeCloseTo(60.62, 1);
  });

  it('refuses what it cannot list with a sentence and exit code 2', () => {
    for (const [args, message] of [
      [['nosuch'], 'No network or weights match "nosuch".'],
      [['--size', 'big'], '--size big: The input size is a whole number of pixels.'],
    ] as const)
      expect(() => models(...args)).toThrow(expect.objectContaining({ status: 2, stderr: `${message}\n` }));
  });
});
