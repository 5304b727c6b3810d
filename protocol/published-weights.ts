/**
 * Published weights under their full names, timm's `arch.tag`. A bare network name is never one: which weights it means has
 * changed over the years, for some teachers and students of MEAL V2 too.
 */
import { z } from 'zod';
import { MEAL_V2_RELEASES } from './mealv2-releases.ts';
import type { PublishedWeights } from './network-spec.ts';
import { NETWORK_NAMES, NETWORKS, type NetworkName } from './networks.ts';

/** All of them were trained on ImageNet-1k. */
export const PUBLISHED_CLASS_COUNT = 1000;

export interface KnownWeights {
  /** `arch.tag`, e.g. "resnet50.ram_in1k". */
  name: string;
  network: NetworkName;
  /** `owner/name` on a Hugging Face-style hub; null for weights that exist only as a file, which somebody must bring. */
  repo: string | null;
  /** The file's name where it was released, when it is not made from `name`. */
  releasedAs: string | null;
  published: PublishedWeights;
}

function listWeights(): KnownWeights[] {
  const onHub = NETWORK_NAMES.flatMap((network) =>
    NETWORKS[network].weights.map((published): KnownWeights => {
      const name = `${network}.${published.tag}`;
      return { name, network, repo: `timm/${name}`, releasedAs: null, published };
    }),
  );
  const released = MEAL_V2_RELEASES.map(({ network, file, published }): KnownWeights => {
    return { name: `${network}.${published.tag}`, network, repo: null, releasedAs: file, published };
  });
  return [...onHub, ...released];
}

export const KNOWN_WEIGHTS: ReadonlyMap<string, KnownWeights> = new Map(
  listWeights().map((known) => [known.name, known]),
);

export const weightsOf = (network: NetworkName): KnownWeights[] =>
  [...KNOWN_WEIGHTS.values()].filter((known) => known.network === network);

/** What a bare name meant in timm 0.2.1, with which MEAL V2 was made, and what it means in timm 1.0. */
const MEANINGS: Partial<Record<NetworkName, { before: string; now: string }>> = {
  tf_efficientnet_b4: { before: 'tf_efficientnet_b4.aa_in1k', now: 'tf_efficientnet_b4.ns_jft_in1k' },
  tf_efficientnet_b0: { before: 'tf_efficientnet_b0.aa_in1k', now: 'tf_efficientnet_b0.ns_jft_in1k' },
  resnet50: { before: 'resnet50.ram_in1k', now: 'resnet50.a1_in1k' },
  resnet18: { before: 'resnet18.tv_in1k', now: 'resnet18.a1_in1k' },
};
/**
 * For weights that a bare name means or meant: what MEAL V2 called them, or that it did not mean these. Null for all others.
 */
export function explainNameTrap(name: string): { mistakable: boolean; text: string } | null {
  const network = KNOWN_WEIGHTS.get(name)?.network;
  const meaning = network === undefined ? undefined : MEANINGS[network];
  if (meaning?.before === name) return { mistakable: false, text: `What MEAL V2 calls ${network}.` };
  if (meaning?.now !== name) return null;
  return {
    mistakable: true,
    text: `timm calls these ${network} today. MEAL V2 did not: by that name it meant ${meaning.before}.`,
  };
}

/** Names of networks with their weights in one, as timm 0.2.1 had them. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map([
  ['gluon_senet154', 'senet154.gluon_in1k'],
  ['gluon_resnet152_v1s', 'resnet152s.gluon_in1k'],
  ['tf_efficientnet_b4_ns', 'tf_efficientnet_b4.ns_jft_in1k'],
]);

/** A sentence or two for a name that is none of `KNOWN_WEIGHTS`: what is wrong with it and what to write. */
export function explainUnknownWeights(name: string): string {
  const old = OLD_NAMES.get(name);
  if (old !== undefined) return `"${name}" is an old name of ${old}. Write that.`;
  const network = NETWORK_NAMES.find((known) => name === known || name.startsWith(`${known}.`));
  if (network === undefined)
    return `Unknown weights "${name.slice(0, 100)}". Write a network and a tag, for example resnet50.ram_in1k.`;
  const names = weightsOf(network).map((known) => known.name);
  const choice = names.length > 0 ? `Choose ${names.join(' or ')}.` : `Of ${network}, no weights are published.`;
  if (name !== network) return `${network} has no weights "${name.slice(network.length + 1, 100)}". ${choice}`;
  const meaning = MEANINGS[network];
  const trap = meaning ? `: MEAL V2 meant ${meaning.before} by it, timm today means ${meaning.now}` : '';
  return `"${name}" names a network, not one set of weights${trap}. ${choice}`;
}

export const WeightsName = z.string().superRefine((name, ctx) => {
  if (!KNOWN_WEIGHTS.has(name)) ctx.addIssue({ code: 'custom', message: explainUnknownWeights(name) });
});
