/**
 * What happened, in words that activity lists, the bell, browser notifications and webhooks share. An event is written in
 * the transaction of the change that it tells of.
 */
import { z } from 'zod';
import type { FailureCode } from './statuses.ts';

/** Each kind's name and its sentence. */
export const EVENT_KINDS = {
  'study-finished': {
    name: 'Study finished',
    says: 'Every run of a study has ended; again when a finished study was taken up and ended once more.',
  },
  'run-failed': { name: 'Run failed', says: 'A run failed for good: no further attempt is made by itself.' },
  'dependents-failed': {
    name: 'Runs failed with another',
    says: 'Runs that waited for another one failed, because that one failed or was cancelled.',
  },
  'host-lost': { name: 'Host lost', says: 'Attempts were taken away from a host; their runs are queued again.' },
  'study-created': { name: 'Study created', says: 'A study was created.' },
  'runs-added': { name: 'Runs added', says: 'A study was extended.' },
  'run-succeeded': { name: 'Run succeeded', says: 'A run did all that it should.' },
  'runs-cancelled': { name: 'Runs cancelled', says: 'Runs of a study were cancelled.' },
  'cancel-requested': { name: 'Cancel asked for', says: 'Hosts were asked to stop runs that are to be cancelled.' },
  'run-retried': { name: 'Run retried', says: 'A run that had failed or was cancelled was queued again.' },
  'runs-paused': {
    name: 'Runs paused',
    says: 'Runs were held in the queue, or their hosts were asked to free the slots.',
  },
  'runs-resumed': { name: 'Runs resumed', says: 'Paused runs may be taken again.' },
  'epochs-extended': { name: 'More epochs', says: 'Runs were given more epochs.' },
  'study-shared': { name: 'Study shared', says: 'A link was made that shows a study without an account.' },
  'share-revoked': { name: 'Link revoked', says: 'A link that showed a study was taken back.' },
  'host-attached': { name: 'Host attached', says: 'A host is there, for the first time or again after it was away.' },
  'host-detached': { name: 'Host detached', says: 'The agent of a host said goodbye.' },
  test: { name: 'Test', says: 'Somebody asked for a test of a webhook; only that webhook is told.' },
} as const satisfies Record<string, { name: string; says: string }>;
export type EventKind = keyof typeof EVENT_KINDS;

/** What a webhook can be told of. */
export const TOLD_KINDS = (Object.keys(EVENT_KINDS) as EventKind[]).filter((kind) => kind !== 'test');
export const ToldKind = z.enum(TOLD_KINDS as [EventKind, ...EventKind[]]);
/** What somebody who does not look at the page may want to know at once: the bell shows these. */
export const NOTICE_KINDS = [
  'study-finished',
  'run-failed',
  'dependents-failed',
  'host-lost',
] as const satisfies readonly EventKind[];
/** What browsers can notify of. */
export const BROWSER_KINDS = ['study-finished', 'run-failed', 'host-lost'] as const satisfies readonly EventKind[];

/** A run as its events name it: by its variant's label and its seed. */
interface NamedRun {
  label: string;
  seed: number;
}
/** Who did it; null where that is not known, as of what happened before it was written down. */
interface Act {
  by?: string | null;
}
/** What somebody did to runs of one study; the names are those of the first. */
type RunsAct = { runs: number } & NamedRun & Act;
/** Names are kept as they were: what they name may be gone when the event is read. */
export type EventDetail =
  | {
      kind: 'study-finished';
      succeeded: number;
      failed: number;
      cancelled: number;
      /** Percent, of the best student, or of the best run where no student succeeded. */
      bestTop1: number | null;
      bestLabel: string | null;
    }
  | ({ kind: 'run-failed'; code: FailureCode; message: string | null } & NamedRun)
  /** `runs` needed the named run, which failed or was cancelled. */
  | ({ kind: 'dependents-failed'; runs: number; fate: 'failed' | 'cancelled' } & NamedRun)
  | { kind: 'host-lost'; host: string; runs: number; reason: string }
  | ({ kind: 'study-created'; runs: number } & Act)
  | ({ kind: 'runs-added'; runs: number } & Act)
  | ({ kind: 'run-succeeded'; top1: number | null } & NamedRun)
  | ({ kind: 'runs-cancelled' | 'cancel-requested' | 'runs-paused' | 'runs-resumed' } & RunsAct)
  | ({ kind: 'epochs-extended'; epochs: number } & RunsAct)
  /** `others` had failed only because of it, and are queued again with it. */
  | ({ kind: 'run-retried'; others: number } & NamedRun & Act)
  | ({ kind: 'study-shared' | 'share-revoked'; label: string } & Act)
  | { kind: 'host-attached'; host: string; isNew: boolean }
  | { kind: 'host-detached'; host: string }
  | { kind: 'test'; label: string };

export type EventView = EventDetail & {
  /** Rises with each event. */
  id: number;
  /** Milliseconds since 1970. */
  at: number;
  studyId: string | null;
  studyName: string | null;
  runId: string | null;
  hostId: string | null;
};
export interface EventPage {
  /** Newest first. */
  events: EventView[];
  hasOlder: boolean;
}

const count = (n: number, one: string) => `${n.toLocaleString('en')} ${n === 1 ? one : `${one}s`}`;
const named = ({ label, seed }: NamedRun) => `"${label}" (seed ${seed})`;
const byWhom = ({ by }: Act) => (by ? ` by ${by}` : '');
/** "3 runs were paused by Ada." */
const acted = (event: RunsAct, what: string) =>
  `${event.runs === 1 ? `${named(event)} was` : `${count(event.runs, 'run')} were`} ${what}${byWhom(event)}.`;
/** So that a failure's whole output never becomes a sentence. */
const MAX_MESSAGE = 300;
const shorten = (text: string) => (text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text);

/** One or two sentences, without the name of the study. */
export function describeEvent(event: EventDetail): string {
  switch (event.kind) {
    case 'study-finished':
      return describeFinish(event);
    case 'run-failed':
      return `${named(event)} failed (${event.code})${event.message ? `: ${shorten(event.message)}` : '.'}`;
    case 'dependents-failed': {
      const fate = event.fate === 'failed' ? 'failed' : 'was cancelled';
      return `${count(event.runs, 'run')} failed, because ${named(event)}, which ${event.runs === 1 ? 'it needs' : 'they need'}, ${fate}.`;
    }
    case 'host-lost':
      return `${event.host} lost ${count(event.runs, 'run')}. ${event.reason}`;
    case 'study-created':
      return `The study was created with ${count(event.runs, 'run')}${byWhom(event)}.`;
    case 'runs-added':
      return `${count(event.runs, 'run')} ${event.runs === 1 ? 'was' : 'were'} added${byWhom(event)}.`;
    case 'run-succeeded':
      return `${named(event)} succeeded${event.top1 === null ? '.' : ` with a top-1 of ${event.top1.toFixed(2)} %.`}`;
    case 'runs-cancelled':
      return acted(event, 'cancelled');
    case 'cancel-requested':
      return acted(event, 'asked to stop');
    case 'runs-paused':
      return acted(event, 'paused');
    case 'runs-resumed':
      return acted(event, 'resumed');
    case 'epochs-extended':
      return acted(event, `given ${count(event.epochs, 'epoch')} in all`);
    case 'study-shared':
      return `A link that shows the study without an account, "${event.label}", was made${byWhom(event)}.`;
    case 'share-revoked':
      return `The link "${event.label}" was revoked${byWhom(event)}.`;
    case 'run-retried':
      return `${named(event)} was queued again${byWhom(event)}${event.others === 0 ? '.' : `, and with it ${count(event.others, 'run')} that ${event.others === 1 ? 'needs' : 'need'} it.`}`;
    case 'host-attached':
      return event.isNew ? `${event.host} is a new host.` : `${event.host} is back.`;
    case 'host-detached':
      return `The agent of ${event.host} said goodbye.`;
    case 'test':
      return `A test of the webhook "${event.label}".`;
  }
}

function describeFinish(event: EventDetail & { kind: 'study-finished' }): string {
  const parts = [
    `${event.succeeded} succeeded`,
    ...(event.failed > 0 ? [`${event.failed} failed`] : []),
    ...(event.cancelled > 0 ? [`${event.cancelled} cancelled`] : []),
  ];
  const all = event.succeeded + event.failed + event.cancelled;
  const best =
    event.bestTop1 === null || event.bestLabel === null
      ? ''
      : ` Best top-1: ${event.bestTop1.toFixed(2)} % ("${event.bestLabel}").`;
  return `${all === 1 ? 'Its one run has' : `All ${all.toLocaleString('en')} runs have`} ended: ${parts.join(', ')}.${best}`;
}

/** The page that an event is about, as a path of the hub; null where there is none. */
export function pathOfEvent(event: EventView): string | null {
  if (event.runId !== null && event.kind !== 'study-finished') return `/runs/${event.runId}`;
  if (event.studyId !== null) return `/studies/${event.studyId}`;
  return event.kind.startsWith('host-') ? '/hosts' : null;
}
