/** Ways of looking at a study, kept by name for everybody who may see it. */
import { z } from 'zod';
import { StudyId } from './ids.ts';

/** What a view is of. */
export const SAVED_VIEW_KINDS = ['charts', 'runs'] as const;
export const SavedViewKind = z.enum(SAVED_VIEW_KINDS);
export type SavedViewKind = z.infer<typeof SavedViewKind>;

/** Views of one kind that a study keeps. */
export const MAX_SAVED_VIEWS = 100;

export const NewSavedView = z.strictObject({
  studyId: StudyId,
  kind: SavedViewKind,
  name: z.string().trim().min(1, 'Give the view a name.').max(100, 'The name of a view has at most 100 characters.'),
  /** The page's query string, as whoever opens it would write it. */
  state: z.string().max(20_000, 'This view holds too much to be saved.'),
});
export type NewSavedView = z.infer<typeof NewSavedView>;

export interface SavedView {
  id: string;
  name: string;
  state: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Empty where the member is gone. */
  createdBy: string;
}
