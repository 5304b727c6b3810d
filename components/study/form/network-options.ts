/** Networks and published weights as the pickers list them: by family, with what they cost and what they reached. */
import { networkCost } from '@mealtable/protocol/network-cost';
import { NETWORKS, type NetworkName } from '@mealtable/protocol/networks';
import { explainNameTrap, type KnownWeights, weightsOf } from '@mealtable/protocol/published-weights';
import { FAMILY_NAMES, gigaMacs, NETWORKS_BY_FAMILY, shortCount } from '@mealtable/protocol/registry';
import { formatPercent, NONE } from '../../format.ts';
import type { ComboboxOption, OptionGroup } from '../../ui/combobox-groups.ts';

const figuresOf = (network: NetworkName, size: number) => {
  const { parameters, macs } = networkCost(network, Math.max(size, NETWORKS[network].minInputSize));
  return { parameters: shortCount(parameters), gmacs: gigaMacs(macs) };
};

/** "25.6M params · 4.09 GMACs". @param size side of the input in pixels, raised to the smallest that the network takes */
export function describeCost(network: NetworkName, size: number): string {
  const { parameters, gmacs } = figuresOf(network, size);
  return `${parameters} params · ${gmacs} GMACs`;
}

/** "80.38 at 224 px": what the weights' publication states. */
export function describePublished({ published }: KnownWeights): string {
  const { top1, preprocessing } = published;
  return top1 === null ? `${preprocessing.inputSize} px` : `${formatPercent(top1)} at ${preprocessing.inputSize} px`;
}

/** Headings of the figures below. */
export const FIGURE_COLUMNS = ['Params', 'GMACs', 'Size', 'Top-1'] as const;

const networkOption = (network: NetworkName, size: number): ComboboxOption<NetworkName> => {
  const { parameters, gmacs } = figuresOf(network, size);
  const best = Math.max(...weightsOf(network).map(({ published }) => published.top1 ?? Number.NEGATIVE_INFINITY));
  const top1 = Number.isFinite(best) ? formatPercent(best) : NONE;
  const figures = [parameters, gmacs, String(NETWORKS[network].preprocessing.inputSize), top1];
  return { value: network, label: network, figures };
};

/** @param size pixels that GMACs are counted at */
export const networkGroups = (size: number): OptionGroup<NetworkName>[] =>
  NETWORKS_BY_FAMILY.map(({ family, networks }) => ({
    label: FAMILY_NAMES[family],
    options: networks.map((network) => networkOption(network, size)),
  }));

/** What a picker warns of: a name that means other weights today than in the paper. */
export const noteOf = (weights: string): string | undefined => {
  const trap = explainNameTrap(weights);
  return trap?.mistakable ? trap.text : undefined;
};

export function weightsOption({ name, network, published }: KnownWeights, size: number): ComboboxOption<string> {
  const { parameters, gmacs } = figuresOf(network, size);
  const figures = [parameters, gmacs, String(published.preprocessing.inputSize), formatPercent(published.top1)];
  return { value: name, label: name, figures, note: noteOf(name) };
}

/** All published weights by family. */
export const weightsGroups = (sizeOf: (known: KnownWeights) => number): OptionGroup<string>[] =>
  NETWORKS_BY_FAMILY.map(({ family, networks }) => ({
    label: FAMILY_NAMES[family],
    options: networks.flatMap((network) => weightsOf(network).map((known) => weightsOption(known, sizeOf(known)))),
  })).filter(({ options }) => options.length > 0);
