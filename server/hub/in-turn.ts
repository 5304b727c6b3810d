/** One after the other, in the order in which they were asked for, however each ends. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function makeTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => {}); // told to whoever asked
    return done;
  };
}
