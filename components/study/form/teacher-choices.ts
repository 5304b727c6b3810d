/** What may stand in an ensemble or give the start: networks trained first by this study, and runs that succeeded. */
import type { KnownRun } from '@mealtable/protocol/expand-design';
import type { NetworkName } from '@mealtable/protocol/networks';
import type { NetworkRef, StudyDesign } from '@mealtable/protocol/study-design';
import { refKey } from '@mealtable/protocol/variant-key';
import type { TeacherOption } from '@mealtable/protocol/views';
import { formatPercent } from '../../format.ts';
import type { PlannedDraft } from './draft.ts';

export interface TeacherChoice {
  ref: NetworkRef;
  label: string;
  network: NetworkName;
  /** "resnet34 · 97.22" */
  detail: string;
}

export const refId = (ref: NetworkRef): string => (ref.kind === 'planned' ? `planned:${ref.key}` : refKey(ref));
/** The student's start at a choice, random without one. Published weights keep their classifier until somebody says otherwise. */
export function startFrom(ref: NetworkRef | null | undefined): StudyDesign['student']['initialisation'] {
  if (!ref) return { kind: 'random' };
  return ref.kind === 'pretrained' ? { ...ref, head: 'keep' } : ref;
}

export const sameRef = (a: NetworkRef, b: NetworkRef): boolean => refId(a) === refId(b);

/** @param classCount of the chosen dataset: runs that know another number of classes cannot teach it */
export function teacherChoices(
  planned: readonly PlannedDraft[],
  runs: readonly TeacherOption[],
  classCount: number | null,
): TeacherChoice[] {
  return [
    ...planned.map(
      ({ key, network }): TeacherChoice => ({
        ref: { kind: 'planned', key },
        label: key,
        network,
        detail: `${network} · trained first`,
      }),
    ),
    ...runs
      .filter((run) => run.succeeded && (classCount === null || run.classCount === classCount))
      .map(
        (run): TeacherChoice => ({
          ref: { kind: 'run', runId: run.runId },
          label: run.label,
          network: run.network,
          detail: `${run.network} · ${run.inputSize} px · ${formatPercent(run.top1)}`,
        }),
      ),
  ];
}

export const labelOf = (
  ref: NetworkRef,
  choices: readonly TeacherChoice[],
  known: ReadonlyMap<string, KnownRun>,
): string =>
  choices.find((choice) => sameRef(choice.ref, ref))?.label ??
  ((ref.kind === 'run' && known.get(ref.runId)?.label) || refKey(ref));

export const knownRuns = (runs: readonly TeacherOption[]): Map<string, KnownRun> =>
  new Map(
    runs.map(({ runId, label, network, dataset, classCount, succeeded }) => [
      runId,
      { runId, label, network, dataset, classCount, succeeded },
    ]),
  );
