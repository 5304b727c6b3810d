/** Where soft labels come from, while it is typed. */
import { type CachedLabels, KEPT_CLASSES } from '@mealtable/protocol/soft-labels';
import type { DiscriminatorLevel } from '@mealtable/protocol/study-choices';
import type { StudyDesign } from '@mealtable/protocol/study-design';
import { toGivenNumber } from './typed-numbers.ts';

export type LabelMode = NonNullable<StudyDesign['softLabels']>['mode'];

/**
 * Which runs keep logits: `shared` all where any needs them, so that all share labels, `own` those that need them, or all, or none.
 */
export const KEPT_LOGITS = ['shared', 'own', 'always', 'never'] as const;
export type KeptLogits = (typeof KEPT_LOGITS)[number];

export interface SoftLabelsDraft {
  mode: LabelMode;
  /** Empty until a mode that keeps labels was chosen once. */
  viewsPerImage: string;
  augmentationSeed: string;
  keep: `${CachedLabels['keep']}`;
  logits: KeptLogits;
  /** Of hosts that may label, separated by commas or spaces; for prefilled labels. */
  hostLabels: string;
}

export const newSoftLabels = (): SoftLabelsDraft => ({
  mode: 'online',
  viewsPerImage: '',
  augmentationSeed: '0',
  keep: 'full',
  logits: 'shared',
  hostLabels: '',
});

/** What of a study decides which variants have a discriminator that takes logits. */
export interface LogitNeeds {
  levels: readonly DiscriminatorLevel[];
  inputs: 'logits' | 'probabilities';
}

/** Whether some variants need logits and others do not: then each kind would keep labels of its own. */
export const isLogitsMixed = ({ levels, inputs }: LogitNeeds): boolean =>
  inputs === 'logits' && levels.includes(false) && levels.some((level) => level !== false);

export const needsOfDesign = ({ design, list, factors, discriminatorOptions }: StudyDesign): LogitNeeds => ({
  levels: design === 'list' ? list.map(({ discriminator }) => discriminator) : factors.discriminator,
  inputs: discriminatorOptions?.inputs ?? 'logits',
});

export function softLabelsDraft(design: StudyDesign): SoftLabelsDraft {
  const { softLabels } = design;
  if (softLabels === undefined || softLabels.mode === 'online') return newSoftLabels();
  const { mode, viewsPerImage, augmentationSeed, keep, logits } = softLabels;
  const unsaid = mode === 'cached' && isLogitsMixed(needsOfDesign(design)) ? 'own' : 'shared';
  return {
    mode,
    viewsPerImage: String(viewsPerImage),
    augmentationSeed: String(augmentationSeed),
    keep: `${keep}`,
    logits: logits === undefined ? unsaid : logits ? 'always' : 'never',
    hostLabels: softLabels.mode === 'prefill' ? (softLabels.hostLabels ?? []).join(', ') : '',
  };
}

/** @returns the design's field where labels are kept, else nothing: online is what leaving it out means */
export function softLabelsInput(draft: SoftLabelsDraft, needs: LogitNeeds) {
  if (draft.mode === 'online') return {};
  // Prefilled sets are shared by all unless said otherwise.
  const shared = (draft.mode === 'cached' && isLogitsMixed(needs)) || undefined;
  const hostLabels = draft.mode === 'prefill' ? draft.hostLabels.split(/[\s,]+/).filter(Boolean) : [];
  const logits = { shared, own: undefined, always: true, never: false }[draft.logits];
  return {
    softLabels: {
      mode: draft.mode,
      viewsPerImage: toGivenNumber(draft.viewsPerImage),
      augmentationSeed: toGivenNumber(draft.augmentationSeed),
      keep: KEPT_CLASSES.find((kept) => `${kept}` === draft.keep),
      ...(logits !== undefined && { logits }),
      ...(hostLabels.length > 0 && { hostLabels }),
    },
  };
}
