/** Links that show one study, read-only, to whoever has them. */
import { z } from 'zod';
import { StudyId } from './ids.ts';

/** The secrets of these links begin so: programs that look for leaked secrets, and people, know what it is. */
export const SHARE_PREFIX = 'mt_share_';

/** Page of a link. @param secret with its prefix */
export const sharePath = (secret: string): string => `/share/${secret}`;

export const NewShare = z.strictObject({
  studyId: StudyId,
  label: z
    .string()
    .trim()
    .min(1, 'Give the link a label: whom it is for.')
    .max(100, 'A label has at most 100 characters.'),
});
export type NewShare = z.infer<typeof NewShare>;

/** A link that works. Times are milliseconds since 1970. */
export interface ShareView {
  id: string;
  label: string;
  createdAt: number;
  /** Empty where the member is gone. */
  createdBy: string;
  lastUsedAt: number | null;
}
