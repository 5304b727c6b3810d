/**
 * One request per upload at a time. The library's own lock asks again in every turn of the event loop until the lock is
 * free, which keeps a core busy; this one waits.
 */
import { ERRORS, type Lock, type Locker, type RequestRelease } from '@tus/server';

interface Holder {
  askToEnd: RequestRelease;
  ended: Promise<void>;
}

export class UploadLocker implements Locker {
  readonly #holders = new Map<string, Holder>();
  readonly #patienceMs: number;

  /** @param patienceMs how long a request waits for an earlier one to end */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  newLock(id: string): Lock {
    let unlock = () => {};
    return {
      lock: async (signal, askToEnd) => {
        const patience = AbortSignal.any([signal, AbortSignal.timeout(this.#patienceMs)]);
        for (;;) {
          const holder = this.#holders.get(id);
          if (!holder) break;
          // Its connection may be long gone, which only a new request for the same upload tells.
          await holder.askToEnd();
          await endedOrAborted(holder.ended, patience);
          if (patience.aborted) throw ERRORS.ERR_LOCK_TIMEOUT;
        }
        const ended = new Promise<void>((resolve) => {
          unlock = resolve;
        });
        this.#holders.set(id, { askToEnd, ended });
      },
      unlock: async () => {
        this.#holders.delete(id);
        unlock();
      },
    };
  }
}

async function endedOrAborted(ended: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let stop = () => {};
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop);
  });
  await Promise.race([ended, aborted]);
  signal.removeEventListener('abort', stop);
}
