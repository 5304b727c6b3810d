/** One set-up at a time per cache folder, also when its owner dies or sits on another machine with the same home folder. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How often the owner shows that it lives by touching the file. */
const TOUCH_MS = 2_000;
/** A lock that was not touched for this long has no living owner, wherever it ran. */
const STALE_MS = 30_000;
const RETRY_MS = 300;

/**
 * Runs `work` while holding the lock. `onWait` is called once, with the owner's process id, if somebody else holds it.
 * @template T
 * @param {string} file
 * @param {(owner: string) => void} onWait
 * @param {() => Promise<T>} work
 * @param {AbortSignal} [signal] ends the waiting: the call then rejects with its reason
 * @returns {Promise<T>}
 */
export async function withLock(file, onWait, work, signal) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  let waited = false;
  while (!create(file, mine)) {
    signal?.throwIfAborted();
    const holder = read(file);
    if (holder !== null && isStale(file, holder)) {
      takeAway(file, holder);
      continue;
    }
    if (!waited && holder !== null) onWait(String(parse(holder)?.pid ?? 'unknown'));
    waited = true;
    await delay(RETRY_MS);
  }
  const touch = setInterval(() => {
    const now = new Date();
    if (read(file) === mine) utimesSync(file, now, now);
  }, TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    // Only our own: if it was taken from us (a machine that slept), it belongs to somebody else now.
    if (read(file) === mine) rmSync(file, { force: true });
  }
}

/** @param {string} file @param {string} content */
function create(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file @returns {string | null} null when nobody holds it any more */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
    throw error;
  }
}

/** @param {string} file @param {string} holder */
function isStale(file, holder) {
  const owner = parse(holder);
  if (owner?.host === hostname() && typeof owner.pid === 'number') return !isAlive(owner.pid);
  try {
    return Date.now() - statSync(file).mtimeMs > STALE_MS;
  } catch {
    return false; // Released this moment: the next try creates it.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * Removes a stale lock by renaming it, which only one waiter can do. Whoever finds that it renamed a fresh lock (another
 * waiter was faster) puts it back. Should two still meet, every write in the cache is a rename: the work is done twice, not
 * wrongly.
 * @param {string} file @param {string} holder
 */
function takeAway(file, holder) {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) !== holder) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

/** @param {string} content @returns {{ pid?: unknown, host?: unknown } | null} */
function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null; // Written half by a process that died: only its age decides.
  }
}
