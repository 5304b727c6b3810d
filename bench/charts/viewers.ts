/** Viewers without a browser: each has the live socket that a page has, and watches the study and its running runs. */
import { LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import { io } from 'socket.io-client';

export interface Viewers {
  /** Messages that they got. */
  messages(): number;
  close(): void;
}

export async function openViewers(
  { url, cookie }: { url: string; cookie: string },
  count: number,
  studyId: string,
  runIds: readonly string[],
): Promise<Viewers> {
  let messages = 0;
  const sockets = Array.from({ length: count }, () =>
    io(`${url}${LIVE_NAMESPACE}`, {
      extraHeaders: { cookie, origin: url },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    }),
  );
  const topics = [{ kind: 'study', studyId }, ...runIds.map((runId) => ({ kind: 'run', runId }))];
  for (const socket of sockets) {
    socket.on('run:records', () => {
      messages++;
    });
    for (const topic of topics) {
      const reply = await socket.emitWithAck('watch', topic);
      if (!reply.ok) throw new Error(`A viewer may not watch ${JSON.stringify(topic)}: ${reply.message}`);
    }
  }
  return {
    messages: () => messages,
    close() {
      for (const socket of sockets) socket.disconnect();
    },
  };
}
