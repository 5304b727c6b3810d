/** A hub that a benchmark has started as its child: what it says, and its end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface ChildHub {
  ended: Promise<unknown>;
  /** All that it has printed. */
  output(): string;
  /** The next message over its channel. Rejects with what it has printed when it ends instead. */
  nextMessage<T>(): Promise<T>;
}

/** @param hub with pipes for its output and a channel for messages */
export function listenTo(hub: ChildProcess): ChildHub {
  let output = '';
  for (const stream of [hub.stdout!, hub.stderr!])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  const ended = once(hub, 'exit');
  return {
    ended,
    output: () => output,
    async nextMessage<T>() {
      const [message] = await Promise.race([
        once(hub, 'message'),
        ended.then(() => Promise.reject(new Error(`The hub ended:\n${output}`))),
      ]);
      return message as T;
    },
  };
}
