/** The networks and their published weights as lists show them: by family, those of reduced size last. */
import { networkCost } from './network-cost.ts';
import { NETWORK_NAMES, NETWORKS, type NetworkName } from './networks.ts';
import { type KnownWeights, weightsOf } from './published-weights.ts';

export const FAMILY_NAMES = {
  resnet: 'ResNet',
  senet: 'SENet',
  efficientnet: 'EfficientNet',
  mobilenetv3: 'MobileNetV3',
  reduced: 'Reduced, for trying things out',
} as const;
export type FamilyKey = keyof typeof FAMILY_NAMES;

/** Narrow or shallow variants that nobody has published weights of. */
export const isReduced = (network: NetworkName): boolean => NETWORKS[network].weights.length === 0;

export const familyOf = (network: NetworkName): FamilyKey =>
  isReduced(network) ? 'reduced' : NETWORKS[network].family;

/** Every network in the order of FAMILY_NAMES, within a family from few parameters to many. */
export const NETWORKS_BY_FAMILY: readonly { family: FamilyKey; networks: readonly NetworkName[] }[] = (
  Object.keys(FAMILY_NAMES) as FamilyKey[]
).map((family) => ({
  family,
  networks: NETWORK_NAMES.filter((name) => familyOf(name) === family).sort(
    (a, b) => networkCost(a).parameters - networkCost(b).parameters,
  ),
}));

/** One line of the registry: weights of a network, or the network alone where none are published. */
export interface RegistryLine {
  network: NetworkName;
  family: FamilyKey;
  weights: KnownWeights | null;
}

export const REGISTRY: readonly RegistryLine[] = NETWORKS_BY_FAMILY.flatMap(({ family, networks }) =>
  networks.flatMap((network): RegistryLine[] => {
    const known = weightsOf(network);
    if (known.length === 0) return [{ network, family, weights: null }];
    return known.map((weights) => ({ network, family, weights }));
  }),
);

/** "25.6M", "176k" */
export function shortCount(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(count < 1e7 ? 2 : 1)}M`;
  return count >= 1e3 ? `${(count / 1e3).toFixed(0)}k` : String(count);
}

/** Billions of multiply-accumulates with three digits: "4.09", "0.0434", "20.7". */
export const gigaMacs = (macs: number): string => {
  const value = macs / 1e9;
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value >= 0.1 ? value.toFixed(3) : value.toFixed(4);
};
