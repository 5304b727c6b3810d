/** Datasets that hold a validation split alone: enough to evaluate on, not to train on. */

interface Counts {
  trainCount: number;
  problems: readonly string[];
}

/** Whether runs can train on a dataset as it was reported. */
export const canTrainOn = ({ trainCount, problems }: Counts): boolean => problems.length === 0 && trainCount > 0;

/** Usable, but for evaluations alone. */
export const isValidationOnly = ({ trainCount, problems }: Counts): boolean =>
  problems.length === 0 && trainCount === 0;

/** Why a run that trains is refused. @param name of the dataset or its folder */
export const explainValidationOnly = (name: string): string =>
  `${name} has validation images alone: it is enough to evaluate on, not to train on. Put training images into its train/<class>/ beside val/<class>/, or choose another dataset.`;
