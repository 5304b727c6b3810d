/** What the processes of processes.test.ts share. */
import { makeKey } from './support.ts';

/** Wide enough that a block takes a while to write. */
export const PROCESS_KEY = makeKey({ classCount: 200, labels: { kind: 'full' } });
export const PROCESS_VIEWS = 3;
