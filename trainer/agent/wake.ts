/** A loop's alarm clock: a call that comes while nobody waits is not lost, and several count as one. One waiter at a time. */
export class Wake {
  #called = false;
  #waiter: (() => void) | null = null;

  call(): void {
    this.#called = true;
    this.#waiter?.();
  }

  /** Resolves at the next call, at once when there was one since the last wait, on abort, or when the time is over. */
  async wait(signal: AbortSignal, maxMs?: number): Promise<void> {
    if (!this.#called && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          this.#waiter = null;
          resolve();
        };
        const timer = maxMs === undefined ? undefined : setTimeout(done, maxMs);
        this.#waiter = done;
        signal.addEventListener('abort', done);
      });
    }
    this.#called = false;
  }
}
