/** How often an address may show secrets of links that open nothing. They cannot be guessed; this keeps the tries cheap. */

/** As a person's open pages of revoked links may ask, and far too few to look for a secret. */
export const WRONG_TRIES = 20;
export const WRONG_TRIES_MS = 60_000;
/** Addresses that are remembered; above it the oldest ones are forgotten. */
const MAX_ADDRESSES = 10_000;

export class WrongTries {
  /** In the order of their beginnings. */
  private readonly windows = new Map<string, { endsAt: number; tries: number }>();

  /** @param now milliseconds since 1970 */
  isBlocked(address: string, now: number): boolean {
    const window = this.windows.get(address);
    return window !== undefined && window.endsAt > now && window.tries >= WRONG_TRIES;
  }

  note(address: string, now: number): void {
    const window = this.windows.get(address);
    if (window && window.endsAt > now) {
      window.tries++;
      return;
    }
    this.windows.delete(address);
    this.windows.set(address, { endsAt: now + WRONG_TRIES_MS, tries: 1 });
    const [oldest] = this.windows.keys();
    if (this.windows.size > MAX_ADDRESSES && oldest !== undefined) this.windows.delete(oldest);
  }
}
