/** Open pages: each has the live socket and watches a study and a run of it, and asks every few seconds what its page shows. */
import { LIVE_NAMESPACE } from '@mealtable/protocol/live-messages';
import { io, type Socket } from 'socket.io-client';
import type { Api } from '../../test/support/hub-process.ts';

/** Between the questions of one page. */
const ASK_MS = 3_000;

export interface Watching {
  /** Milliseconds that each question took. */
  answers: number[];
  /** Points that came over the sockets. */
  points: number;
  close(): void;
}

export interface Watched {
  studyId: string;
  runId: string;
}

export function openPages(
  { url, cookie, api }: { url: string; cookie: string; api: Api },
  watched: readonly Watched[],
  onFault: (error: Error) => void,
): Watching {
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];
  const watching: Watching = {
    answers: [],
    points: 0,
    close() {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.disconnect();
    },
  };
  for (const { studyId, runId } of watched) {
    const socket = io(`${url}${LIVE_NAMESPACE}`, {
      extraHeaders: { cookie, origin: url },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    sockets.push(socket);
    socket.once('connect_error', onFault);
    for (const topic of [{ kind: 'all' }, { kind: 'study', studyId }, { kind: 'run', runId }])
      socket.emit('watch', topic);
    socket.on('run:records', ({ records }: { records: { values?: object }[] }) => {
      for (const { values } of records) watching.points += Object.keys(values ?? {}).length;
    });
    const questions = [
      () => api.studies.get.query({ id: studyId }),
      () => api.runs.get.query({ id: runId }),
      () => api.runs.metrics.query({ id: runId, after: null }),
      () => api.hosts.list.query(),
      () => api.studies.list.query(),
    ];
    let asked = 0;
    const ask = async () => {
      const began = performance.now();
      await questions[asked++ % questions.length]!();
      watching.answers.push(performance.now() - began);
    };
    timers.push(setInterval(() => void ask().catch(onFault), ASK_MS));
  }
  return watching;
}
