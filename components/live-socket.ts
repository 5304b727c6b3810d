'use client';
/** Hooks over the page's one live connection. */
import { type HubToBrowser, LIVE_NAMESPACE, type WatchTopic } from '@mealtable/protocol/live-messages';
import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react';
import { io } from 'socket.io-client';
import { LiveConnection, type LiveState, type Watcher } from './live-connection';
import { readShareSecret } from './share/share-secret';

let shared: LiveConnection | null = null;

/** Opened with the first use and kept for the life of the page: navigation must not cost a handshake. */
export function getLive(): LiveConnection {
  const secret = readShareSecret();
  shared ??= new LiveConnection(
    io(LIVE_NAMESPACE, {
      transports: ['websocket'],
      reconnectionDelay: 500,
      reconnectionDelayMax: 5_000,
      ...(secret !== null && { auth: { token: secret } }),
    }),
    // Tries with a link that was revoked are counted against everybody at this address.
    secret === null ? {} : { refusedRetryMs: 60_000 },
  );
  return shared;
}

const serverState = (): LiveState => 'connecting';
export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => getLive().onState(listener),
    () => getLive().getState(),
    serverState,
  );
}

/** Watches while mounted. @param topic null: nothing */
export function useWatch(topic: WatchTopic | null, watcher: Watcher = {}): void {
  const onJoined = useEffectEvent(() => watcher.onJoined?.());
  const onLost = useEffectEvent(() => watcher.onLost?.());
  const key = JSON.stringify(topic);
  useEffect(() => {
    const watched = JSON.parse(key) as WatchTopic | null;
    if (watched) return getLive().watch(watched, { onJoined: () => onJoined(), onLost: () => onLost() });
  }, [key]);
}

export function useLiveEvent<E extends keyof HubToBrowser>(event: E, handler: HubToBrowser[E]): void {
  // The union of all handlers is narrowed by E, which TypeScript cannot follow through socket.io's overloads.
  const onEvent = useEffectEvent(handler as (...args: unknown[]) => void);
  useEffect(() => {
    const { socket } = getLive();
    const listener = (...args: unknown[]) => onEvent(...args);
    socket.on(event, listener as never);
    return () => {
      socket.off(event, listener as never);
    };
  }, [event]);
}

/** Runs `action` at most once per `everyMs`, the last call never lost. */
export function useThrottle(action: () => void, everyMs: number): () => void {
  const latest = useRef(action);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const lastRun = useRef(0);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  return useRef(() => {
    if (timer.current) return;
    const wait = Math.max(0, lastRun.current + everyMs - Date.now());
    timer.current = setTimeout(() => {
      timer.current = null;
      lastRun.current = Date.now();
      latest.current();
    }, wait);
  }).current;
}
