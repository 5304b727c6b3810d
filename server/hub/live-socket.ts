/** The namespace of browsers: pages say what they watch, and get what happens there, gathered for a moment. */
import {
  type BrowserToHub,
  type HubToBrowser,
  LIVE_NAMESPACE,
  type LiveRecord,
  type RunOutputEvent,
  WatchTopic,
} from '@mealtable/protocol/live-messages';
import { LIVE_COALESCE_MS } from '@mealtable/protocol/tunables';
import type { RunSummaryView } from '@mealtable/protocol/views';
import type { Namespace, Server } from 'socket.io';
import type { Hub, LiveEvents } from '../context.ts';
import type { LiveSocketData } from '../http/guard-sockets.ts';
import { redactEvent, redactRecords, redactRun } from '../shares/redact.ts';
import { isShareOpen, isWithinShare } from '../shares/scope.ts';
import type { ShareVisitor } from '../shares/share-rows.ts';

type LiveNamespace = Namespace<BrowserToHub, HubToBrowser>;

/** Topics that one page may watch; a study of the largest size with all its runs is below it. */
const MAX_TOPICS = 1_000;

const roomOf = (topic: WatchTopic): string => {
  if (topic.kind === 'all') return 'all';
  if (topic.kind === 'host') return `host:${topic.hostId}`;
  return topic.kind === 'run' ? `run:${topic.runId}` : `study:${topic.studyId}`;
};

/** The room of a visitor, or null. They have rooms of their own, as what goes there holds no names of people or hosts. */
const sharedRoomOf = async ({ pool }: Hub, visitor: ShareVisitor, topic: WatchTopic): Promise<string | null> => {
  if (topic.kind !== 'run' && topic.kind !== 'study') return null;
  const scope = topic.kind === 'run' ? { runIds: [topic.runId] } : { studyId: topic.studyId };
  const mayWatch = (await isWithinShare(pool, visitor, scope)) && (await isShareOpen(pool, visitor));
  return mayWatch ? `shared-${roomOf(topic)}` : null;
};

/** Members who got past the guard may watch everything: all roles read. Visitors watch their study and its runs. @returns what detaches it from the bus */
export function attachLiveSockets(io: Server, hub: Hub): () => void {
  const namespace: LiveNamespace = io.of(LIVE_NAMESPACE);
  namespace.on('connection', (socket) => {
    socket.on('watch', async (raw, ack) => {
      const topic = WatchTopic.safeParse(raw);
      const reply = typeof ack === 'function' ? ack : () => {};
      if (!topic.success)
        return reply({ ok: false, message: topic.error.issues[0]?.message ?? 'This topic cannot be read.' });
      const { visitor } = socket.data as LiveSocketData;
      // Without the database nobody is told what is behind a link.
      const room = visitor ? await sharedRoomOf(hub, visitor, topic.data).catch(() => null) : roomOf(topic.data);
      if (room === null) return reply({ ok: false, message: 'There is no such study or run behind this link.' });
      if (socket.rooms.size > MAX_TOPICS)
        return reply({ ok: false, message: `A page can watch ${MAX_TOPICS} topics at most.` });
      await socket.join(room);
      reply({ ok: true });
    });
    socket.on('unwatch', (raw) => {
      const topic = WatchTopic.safeParse(raw);
      if (!topic.success) return;
      void socket.leave(roomOf(topic.data));
      void socket.leave(`shared-${roomOf(topic.data)}`);
    });
  });
  return broadcastChanges(namespace, hub);
}

/** What waits for the next broadcast. */
class Pending {
  readonly records = new Map<string, { attempt: number; records: LiveRecord[] }[]>();
  readonly output = new Map<string, RunOutputEvent>();
  readonly runs = new Map<string, RunSummaryView>();
  readonly studies = new Set<string>();
  readonly launchers = new Set<string>();
  hosts = false;
}

/** Broadcasts are gathered for LIVE_COALESCE_MS, so twenty viewers of a fast run get twenty messages a second each. */
function broadcastChanges(namespace: LiveNamespace, hub: Hub): () => void {
  let pending = new Pending();
  let timer: NodeJS.Timeout | undefined;
  const isWatched = (...rooms: string[]) => rooms.some((room) => namespace.adapter.rooms.has(room));
  const schedule = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush();
    }, LIVE_COALESCE_MS);
  };
  const emitRecords = (runId: string, attempt: number, records: LiveRecord[]) => {
    namespace.to(`run:${runId}`).emit('run:records', { runId, attempt, records });
    const points = isWatched(`shared-run:${runId}`) ? redactRecords(records) : [];
    if (points.length > 0) namespace.to(`shared-run:${runId}`).emit('run:records', { runId, attempt, records: points });
  };
  const flushRecords = (runId: string) => {
    for (const { attempt, records } of pending.records.get(runId) ?? []) emitRecords(runId, attempt, records);
    pending.records.delete(runId);
  };
  const flush = () => {
    for (const runId of pending.records.keys()) flushRecords(runId);
    for (const event of pending.output.values()) namespace.to(`run:${event.runId}`).emit('run:output', event);
    for (const run of pending.runs.values()) {
      namespace.to([`run:${run.id}`, `study:${run.studyId}`, 'all']).emit('run:changed', run);
      const shared = [`shared-run:${run.id}`, `shared-study:${run.studyId}`];
      if (isWatched(...shared)) namespace.to(shared).emit('run:changed', redactRun(run));
    }
    for (const studyId of pending.studies)
      namespace.to([`study:${studyId}`, `shared-study:${studyId}`, 'all']).emit('study:changed', { studyId });
    for (const launcherId of pending.launchers) namespace.to('all').emit('launcher:changed', { launcherId });
    if (pending.hosts) namespace.to('all').emit('hosts:changed');
    pending = new Pending();
  };

  const listeners: { [E in keyof HubToBrowser]: (...payload: LiveEvents[E]) => void } = {
    'run:records': ({ runId, attempt, records }) => {
      // A page that comes to watch reads the past from the API, so nobody watching means nobody missing anything.
      if (!isWatched(`run:${runId}`, `shared-run:${runId}`)) return;
      const parts = pending.records.get(runId) ?? [];
      pending.records.set(runId, parts);
      const last = parts.at(-1);
      if (last?.attempt === attempt) last.records.push(...records);
      else parts.push({ attempt, records: [...records] });
      schedule();
    },
    'run:output': ({ lines, ...rest }) => {
      if (!isWatched(`run:${rest.runId}`)) return;
      const key = `${rest.runId} ${rest.attempt} ${rest.stream}`;
      const waiting = pending.output.get(key);
      if (waiting) waiting.lines.push(...lines);
      else pending.output.set(key, { ...rest, lines: [...lines] });
      schedule();
    },
    'run:rewound': (event) => {
      // Points of before the rewind must not arrive after it.
      flushRecords(event.runId);
      namespace.to([`run:${event.runId}`, `shared-run:${event.runId}`]).emit('run:rewound', event);
    },
    'run:changed': (run) => {
      const rooms = [`run:${run.id}`, `study:${run.studyId}`];
      if (!isWatched(...rooms, ...rooms.map((room) => `shared-${room}`), 'all')) return;
      pending.runs.set(run.id, run);
      schedule();
    },
    'study:changed': ({ studyId }) => {
      pending.studies.add(studyId);
      schedule();
    },
    'launcher:changed': ({ launcherId }) => {
      pending.launchers.add(launcherId);
      schedule();
    },
    'hosts:changed': () => {
      pending.hosts = true;
      schedule();
    },
    'host:sampled': (event) => {
      namespace.to(`host:${event.hostId}`).emit('host:sampled', event);
    },
    'event:noted': (event) => {
      const rooms = event.studyId === null ? ['all'] : [`study:${event.studyId}`, 'all'];
      namespace.to(rooms).emit('event:noted', event);
      const shown = redactEvent(event);
      if (shown && event.studyId !== null) namespace.to(`shared-study:${event.studyId}`).emit('event:noted', shown);
    },
  };
  const events = Object.keys(listeners) as (keyof HubToBrowser)[];
  for (const event of events) hub.bus.on(event, listeners[event] as () => void);
  return () => {
    for (const event of events) hub.bus.off(event, listeners[event] as () => void);
    clearTimeout(timer);
  };
}
