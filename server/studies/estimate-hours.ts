/** From a study's multiply-accumulates and the speeds of hosts to hours. Pure. */
import type { Precision } from '@mealtable/protocol/run-config';
import { medianOf } from '@mealtable/protocol/statistics/moments';
import { type LabelSetCost, macsOf, type RunCost, type StudyCost, type Work } from '@mealtable/protocol/study-cost';
import type { Likeness, StudyTime } from '@mealtable/protocol/study-estimate';
import type { Speed } from './estimate-speed.ts';

export interface MeasuredHost {
  slots: number;
  /** At least one. */
  speeds: readonly Speed[];
  /** What its trainers would compute the study in. */
  precision: Precision;
  /** Labels of a set, by its key, that it keeps already: 0 to 1. */
  labelled: ReadonlyMap<string, number>;
}

/** `host`: each host computes the labels that its runs need. `once`: one host computes them for all. */
export type Sharing = 'none' | 'host' | 'once';

export interface ChosenSpeed {
  macsPerS: number;
  likeness: Likeness;
  isOtherPrecision: boolean;
}

/** The median of those runs that are most like the work: in precision, in network and size, in network, in what was done. */
export function chooseSpeed(speeds: readonly Speed[], work: Omit<Work, 'macs'>, precision: Precision): ChosenSpeed {
  const rank = (speed: Speed): number =>
    8 * Number(speed.precision === precision) +
    4 * Number(speed.network === work.network && speed.inputSize === work.inputSize) +
    2 * Number(speed.network === work.network) +
    // Validating is a forward without gradients, as teaching is.
    Number(speed.kind === (work.kind === 'validation' ? 'teaching' : work.kind));
  const best = Math.max(...speeds.map(rank));
  const alike = speeds.filter((speed) => rank(speed) === best);
  const [first] = alike;
  if (first === undefined) throw new Error('A host without measured runs has no speed.');
  const likeness =
    first.network !== work.network ? 'other-network' : first.inputSize === work.inputSize ? 'same' : 'other-size';
  return {
    macsPerS: medianOf(alike.map(({ macsPerS }) => macsPerS))!,
    likeness,
    isOtherPrecision: first.precision !== precision,
  };
}

/** Milliseconds of one slot. */
const timeOf = (host: MeasuredHost, works: readonly Work[]): number =>
  works.reduce((sum, work) => sum + (1000 * work.macs) / chooseSpeed(host.speeds, work, host.precision).macsPerS, 0);

/** What a run computes by itself, its teachers included where it asks them in every step. */
const workOf = ({ own, teaching, sets }: RunCost, sharing: Sharing): Work[] =>
  sharing === 'none' || sets === null ? [...own, ...teaching] : own;

const labelTime = (host: MeasuredHost, { key, teaching }: LabelSetCost): number =>
  timeOf(host, teaching) * (1 - (host.labelled.get(key) ?? 0));

/**
 * Runs are spread over all slots so that all end together. No study ends before its longest chain of runs that wait for one another.
 * @param hosts at least one
 */
export function timeStudy(cost: StudyCost, hosts: readonly MeasuredHost[], sharing: Sharing): StudyTime {
  const loads = hosts.map((host) => {
    const labels = sharing === 'none' ? 0 : cost.sets.reduce((sum, set) => sum + labelTime(host, set), 0);
    const runs = cost.runs.reduce((sum, run) => sum + run.runs * timeOf(host, workOf(run, sharing)), 0);
    return sharing === 'once'
      ? { slots: host.slots, whole: runs + labels, first: 0 }
      : { slots: host.slots, whole: runs, first: labels };
  });
  const spread = spreadOver(loads);
  return { wallMs: Math.max(spread.wallMs, longestChain(cost, hosts, sharing)), slotMs: spread.slotMs };
}

interface Load {
  slots: number;
  /** Slot time if this host did everything. */
  whole: number;
  /** Slot time of what it must do by itself before it takes any share. */
  first: number;
}

/** In wall time w a host does (slots w - first) / whole of the study; all of them together do 1. */
function spreadOver(loads: readonly Load[]): StudyTime {
  const busy = loads.filter(({ whole }) => whole > 0);
  if (busy.length === 0) return { wallMs: 0, slotMs: 0 };
  const firsts = busy.reduce((sum, { first, whole }) => sum + first / whole, 0);
  const wallMs = (1 + firsts) / busy.reduce((sum, { slots, whole }) => sum + slots / whole, 0);
  // One that would still be labelling then takes no part.
  const useful = busy.filter(({ slots, first }) => slots * wallMs > first);
  if (useful.length < busy.length) return spreadOver(useful);
  return { wallMs, slotMs: busy.reduce((sum, { slots }) => sum + slots * wallMs, 0) };
}

function longestChain(cost: StudyCost, hosts: readonly MeasuredHost[], sharing: Sharing): number {
  const fastest = (works: readonly Work[]) => Math.min(...hosts.map((host) => timeOf(host, works)));
  const longest = (runs: readonly RunCost[]) => Math.max(0, ...runs.map((run) => fastest(workOf(run, sharing))));
  const isTeacher = ({ role }: RunCost) => role === 'teacher';
  const labelling =
    sharing === 'once'
      ? Math.max(0, ...cost.sets.map((set) => Math.min(...hosts.map((host) => labelTime(host, set)))))
      : 0;
  return longest(cost.runs.filter(isTeacher)) + labelling + longest(cost.runs.filter((run) => !isTeacher(run)));
}

const ORDER: readonly Likeness[] = ['same', 'other-size', 'other-network'];

/** How little like the study the runs are that its time is taken from. */
export function judgeSpeeds(cost: StudyCost, hosts: readonly MeasuredHost[]) {
  const works = [...cost.runs.flatMap(({ own, teaching }) => [...own, ...teaching])].filter(
    (work) => macsOf([work]) > 0,
  );
  const chosen = hosts.flatMap((host) => works.map((work) => chooseSpeed(host.speeds, work, host.precision)));
  const worst = Math.max(...chosen.map(({ likeness }) => ORDER.indexOf(likeness)));
  return { likeness: ORDER[worst] ?? null, isOtherPrecision: chosen.some((speed) => speed.isOtherPrecision) };
}
