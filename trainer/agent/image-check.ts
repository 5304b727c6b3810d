/** Has a sample of a dataset's images decoded by another process. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Log } from './log.ts';

/** A disk so slow that 128 images take longer is no reason to refuse a dataset. */
const TIMEOUT_MS = 120_000;

/**
 * @param program the bundled check-images.ts; without it nothing is checked
 * @returns a function that gives sentences about what is wrong with the images of the dataset in a folder
 */
export function makeImageCheck(program: string, log: Log): (path: string) => Promise<string[]> {
  const check = async (path: string): Promise<string[]> => {
    if (!existsSync(program)) return [];
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [program, path], {
        timeout: TIMEOUT_MS,
        // What the agent may do at the hub is not for code that reads images.
        env: { ...process.env, MEALTABLE_TOKEN: undefined },
      });
      return z.array(z.string()).parse(JSON.parse(stdout));
    } catch (error) {
      const { killed, signal, message } = error as Error & { killed?: boolean; signal?: string | null };
      if (signal && !killed)
        return [`Reading images of ${path} brought the decoder down (${signal}): one of them is damaged. Remove it.`];
      log(`The images of ${path} could not be checked: ${killed ? 'it took too long' : message.split('\n')[0]}`);
      return [];
    }
  };
  // A folder of fifty datasets shall not start fifty processes at once.
  let previous: Promise<unknown> = Promise.resolve();
  return (path) => {
    const next = previous.then(() => check(path));
    previous = next;
    return next;
  };
}
