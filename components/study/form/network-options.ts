/** Networks and published weights as the pickers list them: by family, with what they cost and what they reached. */
import { networkCost } from '@mealtable/protocol/network-cost';
import { NETWORKS, type NetworkName } from '@mealtable/protocol/networks';
import { explainNameTrap, type KnownWeights, weightsOf } from '@mealtable/protocol/published-weights';
import { FAMILY_NAMES, gigaMacs, NETWORKS_BY_FAMILY, shortCount } from '@mealtable/protocol/registry';
import { formatPercent } from '../../format.ts';
import type { ComboboxOption, OptionGroup } from '../../ui/combobox-groups.ts';

/** "25.6M · 4.09 GMACs". @param size side of the input in pixels, raised to the smallest that the network takes */
export function describeCost(network: NetworkName, size: number): string {
  const { parameters, macs } = networkCost(network, Math.max(size, NETWORKS[network].minInputSize));
  return `${shortCount(parameters)} · ${gigaMacs(macs)} GMACs`;
}

/** "80.38 at 224 px": what the weights' publication states. */
export function describePublished({ published }: KnownWeights): string {
  const { top1, preprocessing } = published;
  return top1 === null ? `${preprocessing.inputSize} px` : `${formatPercent(top1)} at ${preprocessing.inputSize} px`;
}

/** "224 px · up to 80.98": the usual size, and the best of the weights that are published of a network. */
function describeWeights(network: NetworkName): string {
  const usual = `${NETWORKS[network].preprocessing.inputSize} px`;
  const best = Math.max(...weightsOf(network).map(({ published }) => published.top1 ?? Number.NEGATIVE_INFINITY));
  return Number.isFinite(best) ? `${usual} · top-1 up to ${formatPercent(best)}` : usual;
}

/** @param size pixels that GMACs are counted at */
export const networkGroups = (size: number): OptionGroup<NetworkName>[] =>
  NETWORKS_BY_FAMILY.map(({ family, networks }) => ({
    label: FAMILY_NAMES[family],
    options: networks.map((network) => ({
      value: network,
      label: network,
      detail: `${describeCost(network, size)} · ${describeWeights(network)}`,
    })),
  }));

/** What a picker warns of: a name that means other weights today than in the paper. */
export const noteOf = (weights: string): string | undefined => {
  const trap = explainNameTrap(weights);
  return trap?.mistakable ? trap.text : undefined;
};

export const weightsOption = (known: KnownWeights, size: number): ComboboxOption<string> => ({
  value: known.name,
  label: known.name,
  detail: `${describeCost(known.network, size)} · top-1 ${describePublished(known)}`,
  note: noteOf(known.name),
});

/** All published weights by family. */
export const weightsGroups = (sizeOf: (known: KnownWeights) => number): OptionGroup<string>[] =>
  NETWORKS_BY_FAMILY.map(({ family, networks }) => ({
    label: FAMILY_NAMES[family],
    options: networks.flatMap((network) => weightsOf(network).map((known) => weightsOption(known, sizeOf(known)))),
  })).filter(({ options }) => options.length > 0);
