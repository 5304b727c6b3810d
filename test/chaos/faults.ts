/** Everything that goes wrong in a chaos test. Each fault begins at once, and mends itself after a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosHost } from './host.ts';
import type { HubUnderTest } from './hub.ts';
import type { Random } from './random.ts';

export interface Battlefield {
  hub: HubUnderTest;
  hosts: readonly ChaosHost[];
  random: Random;
  leaseMs: number;
  /** What a fault does later on; all of it is over before the test looks at the results. */
  later(work: Promise<unknown>): void;
}

/** Begins. @returns what it did, or null when there is nothing to do it to just now */
export type Fault = (field: Battlefield) => string | null;

const upHosts = ({ hosts }: Battlefield) => hosts.filter((host) => host.isUp && !host.isFrozen);

function pickHost(field: Battlefield, candidates = upHosts(field)): ChaosHost | null {
  return candidates.length > 0 ? field.random.pick(candidates) : null;
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // ended by itself between the look and the signal
  }
}

function killTrainer(field: Battlefield, withShim: boolean): string | null {
  const host = pickHost(
    field,
    upHosts(field).filter((each) => each.trainers().length > 0),
  );
  if (!host) return null;
  const trainer = field.random.pick(host.trainers());
  if (withShim && trainer.shimPid !== null) kill(trainer.shimPid);
  kill(trainer.pid);
  return `${host.name}: trainer of ${trainer.name} killed${withShim ? ', and what owned it' : ''}`;
}

function endAgent(field: Battlefield, signal: 'SIGKILL' | 'SIGTERM'): string | null {
  const host = pickHost(field);
  if (!host) return null;
  const awayMs = field.random.between(0, 1_500);
  const restart = async () => {
    await host.end(signal);
    await sleep(awayMs);
    host.start();
  };
  field.later(restart());
  return `${host.name}: agent ${signal}, back after ${Math.round(awayMs)} ms`;
}

function disturbLink(
  field: Battlefield,
  what: string,
  [least, most]: [number, number],
  begin: (host: ChaosHost) => void,
): string | null {
  const host = pickHost(
    field,
    upHosts(field).filter(({ link }) => link.isQuiet),
  );
  if (!host) return null;
  const forMs = field.random.between(least, most);
  begin(host);
  field.later(sleep(forMs).then(() => host.link.heal()));
  return `${host.name}: ${what} for ${Math.round(forMs)} ms`;
}

export const FAULTS: Record<string, Fault> = {
  'trainer killed': (field) => killTrainer(field, false),
  'trainer and shim killed': (field) => killTrainer(field, true),
  'agent killed': (field) => endAgent(field, 'SIGKILL'),
  'agent asked to end': (field) => endAgent(field, 'SIGTERM'),

  'hub killed'(field) {
    if (!field.hub.isUp) return null;
    const awayMs = field.random.between(0, 1_500);
    const restart = async () => {
      await field.hub.end('SIGKILL');
      await sleep(awayMs);
      await field.hub.start();
    };
    field.later(restart());
    return `hub SIGKILL, back after ${Math.round(awayMs)} ms`;
  },

  'Postgres killed'(field) {
    // The hub starts it again; a hub that is away finds it dead when it starts.
    const pid = field.hub.postgresPid();
    return pid !== null && kill(pid) ? `Postgres ${pid} SIGKILL` : null;
  },

  'link cut': (field) =>
    disturbLink(field, 'link cut', [0, 1_500], ({ link }) => {
      link.isOpen = false;
      link.cut();
    }),
  'link delayed': (field) =>
    disturbLink(field, 'link delayed', [500, 3_000], ({ link }) => {
      link.delayMs = field.random.between(50, 800);
    }),
  'link repeats': (field) =>
    disturbLink(field, 'messages repeated', [1_000, 4_000], ({ link }) => {
      link.repeats = 0.5;
    }),
  'link reorders': (field) =>
    disturbLink(field, 'messages reordered', [1_000, 4_000], ({ link }) => {
      link.reorders = 0.5;
    }),

  /** Longer than the lease: the host is lost, its trainer goes on, and both come back. */
  'host cut off'(field) {
    const { leaseMs } = field;
    return disturbLink(field, 'nothing arrives any more', [leaseMs * 1.3, leaseMs * 2.2], ({ link }) => {
      link.isStopped = true;
    });
  },
  'agent frozen'(field) {
    const host = pickHost(field);
    if (!host) return null;
    const forMs = field.random.between(field.leaseMs * 1.3, field.leaseMs * 2.2);
    host.freeze();
    field.later(sleep(forMs).then(() => host.thaw()));
    return `${host.name}: agent SIGSTOP for ${Math.round(forMs)} ms`;
  },
};
