/** What goes with the parts of a set of labels: whose they are. */
import { z } from 'zod';
import { LabelKey } from './key.ts';

export const LabelSetFile = z.strictObject({
  version: z.literal(1),
  key: LabelKey,
  viewsPerImage: z.int().min(1),
});
export type LabelSetFile = z.infer<typeof LabelSetFile>;

/** Null for what no version of this describes. */
export function parseLabelSet(text: string): LabelSetFile | null {
  try {
    return LabelSetFile.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
