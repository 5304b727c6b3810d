/** What may stand in an ensemble or give the start: networks trained first by this study, and runs that succeeded. */
import type { KnownRun } from '@mealtable/protocol/expand-design';
import type { NetworkName } from '@mealtable/protocol/networks';
import { KNOWN_WEIGHTS, PUBLISHED_CLASS_COUNT, weightsOf } from '@mealtable/protocol/published-weights';
import { FAMILY_NAMES, NETWORKS_BY_FAMILY } from '@mealtable/protocol/registry';
import type { NetworkRef, StudyDesign } from '@mealtable/protocol/study-design';
import { refKey, weightRatios } from '@mealtable/protocol/variant-key';
import type { TeacherOption } from '@mealtable/protocol/views';
import { formatPercent } from '../../format.ts';
import type { PlannedDraft } from './draft.ts';
import { describePublished } from './network-options.ts';

export interface TeacherChoice {
  ref: NetworkRef;
  label: string;
  network: NetworkName;
  /** "resnet34 · 97.22" */
  detail: string;
  /** Heading that it is listed under. */
  group: string;
}

export const refId = (ref: NetworkRef): string => (ref.kind === 'planned' ? `planned:${ref.key}` : refKey(ref));

type Start = StudyDesign['student']['initialisation'];

/**
 * A start at a choice, random without one. Published weights keep their classifier where it fits the dataset's classes, until
 * somebody says otherwise.
 */
export function startFrom(ref: NetworkRef | null | undefined, classCount: number | null = null): Start {
  if (!ref) return { kind: 'random' };
  if (ref.kind !== 'pretrained') return ref;
  const fits = classCount === null || classCount === PUBLISHED_CLASS_COUNT;
  return { ...ref, head: fits ? 'keep' : 'replace' };
}

/** The start after the network became another: published weights of the old one are none of it. */
export function keepStart(start: Start, network: NetworkName): Start {
  const isOther = start.kind === 'pretrained' && KNOWN_WEIGHTS.get(start.weights)?.network !== network;
  return isOther ? { kind: 'random' } : start;
}

export const sameRef = (a: NetworkRef, b: NetworkRef): boolean => refId(a) === refId(b);

/**
 * Published weights come last, by family.
 * @param classCount of the chosen dataset: what knows another number of classes cannot teach it
 */
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
        group: 'Trained first by this study',
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
          group: 'Runs that succeeded',
        }),
      ),
    ...(classCount === null || classCount === PUBLISHED_CLASS_COUNT ? publishedChoices() : []),
  ];
}

const publishedChoices = (): TeacherChoice[] =>
  NETWORKS_BY_FAMILY.flatMap(({ family, networks }) =>
    networks.flatMap((network) =>
      weightsOf(network).map((known) => ({
        ref: { kind: 'pretrained', weights: known.name },
        label: known.name,
        network,
        detail: `published, top-1 ${describePublished(known)}`,
        group: `Published weights: ${FAMILY_NAMES[family]}`,
      })),
    ),
  );

export const labelOf = (
  ref: NetworkRef,
  choices: readonly TeacherChoice[],
  known: ReadonlyMap<string, KnownRun>,
): string =>
  choices.find((choice) => sameRef(choice.ref, ref))?.label ??
  ((ref.kind === 'run' && known.get(ref.runId)?.label) || refKey(ref));

/** An ensemble's name: "teacher-a × 2 + teacher-b" where one counts more than another. */
export function labelOfSet(
  set: readonly NetworkRef[],
  choices: readonly TeacherChoice[],
  known: ReadonlyMap<string, KnownRun>,
): string {
  const ratios = weightRatios(set);
  return set
    .map((ref, i) => labelOf(ref, choices, known) + (ratios[i] === 1 ? '' : ` × ${Number(ratios[i]?.toPrecision(4))}`))
    .join(' + ');
}

export const knownRuns = (runs: readonly TeacherOption[]): Map<string, KnownRun> =>
  new Map(
    runs.map(({ runId, label, network, dataset, classCount, succeeded }) => [
      runId,
      { runId, label, network, dataset, classCount, succeeded },
    ]),
  );
