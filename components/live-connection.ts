/**
 * One socket to the hub's `/live` namespace, shared by everything on the page.
 * Topics are counted: the room is joined with the first watcher and left with the last, and joined again after every
 * reconnect. Events sent while the socket was away are lost, so each (re)join tells the watchers to read what they missed.
 */
import type { BrowserToHub, HubToBrowser, WatchTopic } from '@mealtable/protocol/live-messages';
import type { Socket } from 'socket.io-client';

export type LiveSocket = Socket<HubToBrowser, BrowserToHub>;
/** refused: the hub answered and said no; retried slowly, because a restart may cure it. */
export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'refused';

export interface Watcher {
  /** The room is joined: everything committed from now on will be sent. Called again after each reconnect. */
  onJoined?: () => void;
  /** The connection is gone: events will be missed until the next `onJoined`. */
  onLost?: () => void;
}
interface Room {
  topic: WatchTopic;
  watchers: Set<Watcher>;
  joined: boolean;
}

function keyOf(topic: WatchTopic): string {
  if (topic.kind === 'run') return `run:${topic.runId}`;
  if (topic.kind === 'host') return `host:${topic.hostId}`;
  return topic.kind === 'study' ? `study:${topic.studyId}` : 'all';
}

export class LiveConnection {
  readonly socket: LiveSocket;
  private readonly rooms = new Map<string, Room>();
  private readonly stateListeners = new Set<() => void>();
  private readonly refusedRetryMs: number;
  private state: LiveState = 'connecting';
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: LiveSocket, options: { refusedRetryMs?: number } = {}) {
    this.socket = socket;
    this.refusedRetryMs = options.refusedRetryMs ?? 5_000;
    socket.on('connect', () => {
      this.setState('live');
      for (const room of this.rooms.values()) this.join(room);
    });
    socket.on('disconnect', (reason) => {
      this.setState('reconnecting');
      for (const room of this.rooms.values()) {
        room.joined = false;
        for (const watcher of room.watchers) watcher.onLost?.();
      }
      // The client does not reconnect by itself when the server ended the connection on purpose.
      if (reason === 'io server disconnect') this.retryLater();
    });
    socket.on('connect_error', () => {
      this.setState(socket.active ? 'reconnecting' : 'refused');
      if (!socket.active) this.retryLater();
    });
  }

  getState = (): LiveState => this.state;

  onState = (listener: () => void): (() => void) => {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  };

  /** @returns the function that ends the watch */
  watch(topic: WatchTopic, watcher: Watcher): () => void {
    const key = keyOf(topic);
    let room = this.rooms.get(key);
    if (!room) {
      room = { topic, watchers: new Set(), joined: false };
      this.rooms.set(key, room);
      room.watchers.add(watcher);
      if (this.socket.connected) this.join(room);
    } else {
      room.watchers.add(watcher);
      if (room.joined) watcher.onJoined?.();
    }
    const watched = room;
    return () => {
      watched.watchers.delete(watcher);
      if (watched.watchers.size > 0 || this.rooms.get(key) !== watched) return;
      this.rooms.delete(key);
      if (this.socket.connected) this.socket.emit('unwatch', topic);
    };
  }

  close(): void {
    clearTimeout(this.retryTimer);
    this.socket.disconnect();
  }

  private join(room: Room): void {
    const connectionId = this.socket.id;
    this.socket.emit('watch', room.topic, (reply) => {
      // A reply to an older connection, or to a room left meanwhile, says nothing about this one.
      if (this.socket.id !== connectionId || this.rooms.get(keyOf(room.topic)) !== room) return;
      if (!reply.ok) {
        console.warn(`The hub refused to watch ${keyOf(room.topic)}: ${reply.message}`);
        return;
      }
      room.joined = true;
      for (const watcher of room.watchers) watcher.onJoined?.();
    });
  }

  private retryLater(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.socket.connect(), this.refusedRetryMs);
  }

  private setState(state: LiveState): void {
    // Before the first success a failed try is still "connecting".
    const next = state === 'reconnecting' && this.state === 'connecting' ? 'connecting' : state;
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.stateListeners) listener();
  }
}
