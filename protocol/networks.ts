/**
 * The networks Mealtable can train, as data: the form lists them, the trainer builds them. Names, layouts and parameter keys
 * are timm's.
 */
import { z } from 'zod';
import type { NetworkSpec } from './network-spec.ts';
import { MOBILE_NETWORKS, type MobileNetworkName } from './networks-mobile.ts';
import { RESNETS, type ResNetName, SENETS, type SENetName } from './networks-resnet.ts';

export type { NetworkSpec } from './network-spec.ts';
export type NetworkName = ResNetName | SENetName | MobileNetworkName;

export const NETWORKS: Readonly<Record<NetworkName, NetworkSpec>> = Object.freeze({
  ...RESNETS,
  ...SENETS,
  ...MOBILE_NETWORKS,
});

export const NETWORK_NAMES = Object.keys(NETWORKS) as [NetworkName, ...NetworkName[]];
export const NetworkName = z.enum(NETWORK_NAMES, {
  error: (issue) => `Unknown network "${String(issue.input)}". Choose one of ${NETWORK_NAMES.join(', ')}.`,
});
