/** One at a time per blob, so that a sweep never deletes the file that an upload has just put there. One hub owns a store. */

const tails = new Map<string, Promise<unknown>>();

export async function withBlobLock<T>(place: string, sha256: string, work: () => Promise<T>): Promise<T> {
  const key = `${place}\n${sha256}`;
  const before = tails.get(key) ?? Promise.resolve();
  const mine = before.then(work, work);
  tails.set(key, mine);
  try {
    return await mine;
  } finally {
    if (tails.get(key) === mine) tails.delete(key);
  }
}
