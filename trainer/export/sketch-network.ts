import { NETWORKS, type NetworkName } from '@mealtable/protocol/networks';
import type { Sketch } from './sketch.ts';
import { sketchMobile } from './sketch-mobile.ts';
import { sketchResidual } from './sketch-residual.ts';

export function sketchNetwork(name: NetworkName, numClasses: number): Sketch {
  const spec = NETWORKS[name];
  return spec.family === 'resnet' || spec.family === 'senet'
    ? sketchResidual(spec, numClasses)
    : sketchMobile(spec, numClasses);
}
