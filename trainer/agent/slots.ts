/** Which slots of this host are free, and what a run that has none gets. */
import type { AttemptDir } from './attempt-dir.ts';
import type { Host, Slot } from './host-report.ts';

export class Slots {
  readonly #host: Host;
  readonly #inUse: () => Slot[];

  /** @param inUse slots of the attempts whose trainers are not gone yet */
  constructor(host: Host, inUse: () => Slot[]) {
    this.#host = host;
    this.#inUse = inUse;
  }

  /** Never more than there are trainers to spare: several may share a slot after a restart with fewer of them. */
  free(): Slot[] {
    const { slots, devices } = this.#host;
    const taken = this.#inUse().map((slot) => slot.index);
    const free = slots.filter((slot) => !taken.includes(slot.index));
    return free.slice(0, Math.max(0, slots.length - taken.length)).filter((slot) => !devices?.isTaken(slot.device));
  }

  /** For the next run: there is always one, since the hub may give more than was asked for. */
  next(): Slot {
    return this.free()[0] ?? this.#host.slots[0]!;
  }

  /** Of an attempt from before a restart. The number of slots may have changed since. */
  of(dir: AttemptDir): Slot {
    const index = dir.readTrainer()?.slot;
    return this.#host.slots.find((slot) => slot.index === index) ?? this.next();
  }

  /** True when a GPU was taken by another program, or given back: the host's report says so then. */
  async lookAtDevices(): Promise<boolean> {
    const { devices, report } = this.#host;
    const inUse = new Set(this.#inUse().flatMap(({ device }) => device ?? []));
    if (!devices || !(await devices.refresh(inUse))) return false;
    report.problems = devices.problems;
    return true;
  }
}
