/** What every export says of itself: how images are prepared for it, what its numbers are and where they come from. */
import { CONVERTER_VERSION, type ModelFacts } from '@mealtable/protocol/exports';

/** What is known of a model, its weights file included. */
export interface ModelDetails extends ModelFacts {
  classCount: number;
}

export interface Description {
  network: string;
  output: 'logits';
  classCount: number;
  classNames: string[] | null;
  /** In this order: the shorter side to `resize`, a square of `crop` from the middle, 0..255 to 0..1, minus mean, over std. */
  preprocessing: { resize: number; crop: number; interpolation: string; mean: number[]; std: number[] };
  weights: { format: 'safetensors'; keys: 'timm'; sha256: string };
  converter: string;
}

export function describeModel(facts: ModelDetails, sourceSha256: string): Description {
  const { network, classCount, classNames, inputSize, preprocessing } = facts;
  const { cropFraction, interpolation, mean, std } = preprocessing;
  return {
    network,
    output: 'logits',
    classCount,
    classNames,
    preprocessing: { resize: Math.trunc(inputSize / cropFraction), crop: inputSize, interpolation, mean, std },
    weights: { format: 'safetensors', keys: 'timm', sha256: sourceSha256 },
    converter: `Mealtable ${CONVERTER_VERSION}`,
  };
}

/** The same for formats that carry texts only. */
export function flatten(description: Description): Record<string, string> {
  const { preprocessing, weights, ...rest } = description;
  const flat = { ...rest, ...preprocessing, weightsSha256: weights.sha256 };
  return Object.fromEntries(
    Object.entries(flat).flatMap(([key, value]) =>
      value === null ? [] : [[key, typeof value === 'string' ? value : JSON.stringify(value)]],
    ),
  );
}
