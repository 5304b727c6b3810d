'use client';
import { type Expansion, expandDesign } from '@mealtable/protocol/expand-design';
import type { FieldProblem, StudyDesign } from '@mealtable/protocol/study-design';
import type { DatasetOption, TeacherOption } from '@mealtable/protocol/views';
import { useMemo, useState } from 'react';
import type { StudyDraft } from './draft';
import { checkBasics, keepFixed, parseDesign } from './draft-to-design';
import type { StudyFormState } from './form-context';
import { visibleProblems } from './problems';
import { knownRuns, teacherChoices } from './teacher-choices';

export interface StudyFormInput {
  initial: StudyDraft;
  datasets: readonly DatasetOption[];
  teachers: readonly TeacherOption[];
  existing: StudyDesign | null;
  /** Of the existing study. */
  extendedId: string | null;
}

/** The form's state and what follows from it: choices, problems, the expansion. */
export function useStudyFormState({ initial, datasets, teachers, existing, extendedId }: StudyFormInput) {
  const [draft, setDraft] = useState(initial);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [isTried, setTried] = useState(false);
  const [refused, setRefused] = useState<readonly FieldProblem[]>([]);

  const known = useMemo(() => knownRuns(teachers), [teachers]);
  const dataset = datasets.find(({ name }) => name === draft.dataset);
  const classCount = dataset?.classNames.length ?? null;
  const choices = useMemo(
    () => teacherChoices(draft.planned, teachers, classCount),
    [draft.planned, teachers, classCount],
  );
  const parsed = useMemo(() => {
    const found = parseDesign(draft);
    return found.ok && existing ? { ...found, design: keepFixed(found.design, existing) } : found;
  }, [draft, existing]);
  const expansion = useMemo(
    (): Expansion | null => (parsed.ok ? expandDesign(parsed.design, { classCount, runs: known }) : null),
    [parsed, classCount, known],
  );
  const problems = useMemo(() => {
    const found = parsed.ok ? (expansion && !expansion.ok ? expansion.problems : []) : parsed.problems;
    return [...(existing ? [] : checkBasics(draft)), ...found, ...refused];
  }, [draft, parsed, expansion, existing, refused]);
  const shown = useMemo(() => visibleProblems(problems, touched, isTried), [problems, touched, isTried]);

  const update: StudyFormState['update'] = (change) => {
    // What the hub said was about the draft as it was.
    setRefused([]);
    setDraft((old) => (typeof change === 'function' ? change(old) : { ...old, ...change }));
  };
  const touch = (path: string) => setTouched((old) => (old.has(path) ? old : new Set([...old, path])));
  const design = parsed.ok ? parsed.design : null;
  const fixed = { existing, extendedId };
  const state: StudyFormState = {
    draft,
    update,
    datasets,
    choices,
    known,
    problems,
    shown,
    design,
    expansion,
    ...fixed,
  };
  return { state, design, touch, isTried, setTried, setRefused };
}
