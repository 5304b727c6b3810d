/** One line per event on stdout. */
export type Log = (line: string) => void;

export function makeLog(write: (text: string) => void, now: () => number): Log {
  return (line) => write(`${new Date(now()).toISOString()} ${line}\n`);
}
