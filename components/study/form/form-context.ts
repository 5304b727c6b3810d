'use client';
import type { Expansion, KnownRun } from '@mealtable/protocol/expand-design';
import type { FieldProblem, StudyDesign } from '@mealtable/protocol/study-design';
import type { DatasetOption } from '@mealtable/protocol/views';
import { createContext, useContext } from 'react';
import type { StudyDraft } from './draft';
import type { TeacherChoice } from './teacher-choices';

export interface StudyFormState {
  draft: StudyDraft;
  /** A part to put in, or what the draft becomes. */
  update: (change: Partial<StudyDraft> | ((draft: StudyDraft) => StudyDraft)) => void;
  datasets: readonly DatasetOption[];
  choices: readonly TeacherChoice[];
  known: ReadonlyMap<string, KnownRun>;
  /** Every problem, for the summary. */
  problems: readonly FieldProblem[];
  /** Those to be shown at their fields already. */
  shown: readonly FieldProblem[];
  /** Null while what was typed is none. */
  design: StudyDesign | null;
  expansion: Expansion | null;
  /** What an existing study has and must keep; null for a new one. */
  existing: StudyDesign | null;
  /** Of the existing study. */
  extendedId: string | null;
}

export const StudyFormContext = createContext<StudyFormState | null>(null);

export function useStudyForm(): StudyFormState {
  const state = useContext(StudyFormContext);
  if (!state) throw new Error('useStudyForm needs a StudyForm around it.');
  return state;
}
