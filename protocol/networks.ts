/**
 * The networks Mealtable can train, as data: the form lists them, the trainer builds them.
 * Names, layouts and parameter keys are timm's. `wN` variants keep timm's 64-channel stem and narrow the four
 * stages to N, 2N, 4N, 8N planes: `timm.models.resnet.ResNet(block, layers, channels=(N, 2N, 4N, 8N))` loads them.
 */
import { z } from 'zod';

export interface NetworkSpec {
  family: 'resnet';
  block: 'basic' | 'bottleneck';
  layers: readonly [number, number, number, number];
  channels: readonly [number, number, number, number];
  /** Smallest square input in pixels that leaves every stage at least one pixel that is not all padding. */
  minInputSize: number;
}

const LAYOUTS = {
  resnet18: { block: 'basic', layers: [2, 2, 2, 2] },
  resnet34: { block: 'basic', layers: [3, 4, 6, 3] },
  resnet50: { block: 'bottleneck', layers: [3, 4, 6, 3] },
} as const;

const WIDTHS = [8, 16, 32, 64] as const;

type Layout = keyof typeof LAYOUTS;
type Width = (typeof WIDTHS)[number];
export type NetworkName = Layout | `${Layout}_w${Exclude<Width, 64>}`;

export const NETWORKS: Readonly<Record<NetworkName, NetworkSpec>> = Object.freeze(
  Object.fromEntries(
    (Object.keys(LAYOUTS) as Layout[]).flatMap((layout) =>
      WIDTHS.map((w): [NetworkName, NetworkSpec] => [
        w === 64 ? layout : `${layout}_w${w}`,
        { family: 'resnet', ...LAYOUTS[layout], channels: [w, 2 * w, 4 * w, 8 * w], minInputSize: 16 },
      ]),
    ),
  ) as Record<NetworkName, NetworkSpec>,
);

export const NETWORK_NAMES = Object.keys(NETWORKS) as [NetworkName, ...NetworkName[]];
export const NetworkName = z.enum(NETWORK_NAMES, {
  error: (issue) => `Unknown network "${String(issue.input)}". Choose one of ${NETWORK_NAMES.join(', ')}.`,
});
