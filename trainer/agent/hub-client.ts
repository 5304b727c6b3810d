/** The agent's socket to the hub. It comes back by itself for ever, unless the hub's refusal can never change. */
import {
  AGENT_NAMESPACE,
  type AgentAuth,
  type AgentHello,
  type AgentToHub,
  FATAL_REFUSALS,
  type FatalRefusal,
  FatalRefusalData,
  type Heartbeat,
  type HeartbeatReply,
  type HelloReply,
  type HubToAgent,
  type Nack,
  type RecordBatch,
  type RecordBatchReply,
  type RunRefusal,
  type RunRefusalReply,
  type RunRequest,
  type RunRequestReply,
} from '@mealtable/protocol/agent-messages';
import type { OutputBatch, OutputBatchReply } from '@mealtable/protocol/output';
import type { SampleBatch, SampleReply } from '@mealtable/protocol/telemetry';
import { io, type Socket } from 'socket.io-client';
import { AgentExit } from './exit-codes.ts';
import type { AgentLimits } from './limits.ts';
import type { Log } from './log.ts';
import { makeBackoff } from './retry.ts';

interface Replies {
  'agent:hello': [AgentHello, HelloReply];
  'run:request': [RunRequest, RunRequestReply];
  'run:refuse': [RunRefusal, RunRefusalReply];
  'agent:heartbeat': [Heartbeat, HeartbeatReply];
  'run:records': [RecordBatch, RecordBatchReply];
  'agent:samples': [SampleBatch, SampleReply];
  'run:output': [OutputBatch, OutputBatchReply];
}

export interface HubClientOptions {
  hub: string;
  auth: AgentAuth;
  limits: AgentLimits;
  log: Log;
  /** Read before every message, since the hub sends it in its hello. */
  ackTimeoutMs: () => number;
  /** Says hello. False when that failed: the connection is then dropped and made again. */
  onConnect: () => Promise<boolean>;
  onDisconnect: () => void;
  onNudge: () => void;
  onFatal: (exit: AgentExit) => void;
}

/** For hubs that send no sentence of their own. */
const REFUSALS: Record<FatalRefusal, string> = {
  bad_token:
    'The hub does not accept the agent token: make a new one on its Hosts page and give it with --token or MEALTABLE_TOKEN.',
  agent_too_old:
    'This agent is too old for the hub: update Mealtable on this machine to the version of the hub (git pull), then start the agent again (npm run agent).',
  hub_too_old: 'The hub is too old for this agent: update the hub, or use the version of Mealtable that it has.',
};

export class HubClient {
  readonly #options: HubClientOptions;
  readonly #socket: Socket<HubToAgent, AgentToHub>;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** The last reason told, so that an hour without the hub is one line and not a thousand. */
  #toldReason: string | null = null;

  constructor(options: HubClientOptions) {
    this.#options = options;
    const { log } = options;
    this.#socket = io(`${options.hub}${AGENT_NAMESPACE}`, {
      auth: options.auth,
      transports: ['websocket'],
      // The library does not return after a refusal or after a disconnect by the server; one policy here covers all.
      reconnection: false,
      autoConnect: false,
      forceNew: true,
    });
    const backoff = makeBackoff(options.limits);
    const tryAgain = () => {
      if (this.#closed) return;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#socket.connect(), backoff.next());
    };
    this.#socket.on('connect', async () => {
      this.#toldReason = null;
      log(`Connected to ${options.hub}.`);
      if (await options.onConnect()) backoff.reset();
      else this.reconnect();
    });
    this.#socket.on('disconnect', (reason) => {
      if (this.#closed) return;
      log(`Lost the hub (${reason}); training goes on, trying to connect again.`);
      options.onDisconnect();
      tryAgain();
    });
    this.#socket.on('connect_error', (error) => {
      const refusal = error.message as FatalRefusal;
      if (Object.hasOwn(FATAL_REFUSALS, refusal)) {
        this.close();
        const { data } = FatalRefusalData.safeParse((error as Error & { data?: unknown }).data);
        options.onFatal(new AgentExit(FATAL_REFUSALS[refusal], data?.sentence ?? REFUSALS[refusal]));
        return;
      }
      this.#tellUnreachable(describeError(error));
      tryAgain();
    });
    this.#socket.on('hub:nudge', options.onNudge);
  }

  connect(): void {
    this.#socket.connect();
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  /**
   * Sends a message and waits for the answer. Null when none came: the connection broke, or the hub did not answer in
   * time. The hub may have acted on the message all the same.
   */
  async ask<E extends keyof Replies>(event: E, message: Replies[E][0]): Promise<Replies[E][1] | Nack | null> {
    if (!this.#socket.connected) return null;
    const timed = this.#socket.timeout(this.#options.ackTimeoutMs());
    // The library's types do not follow a generic event name; Replies holds the pairs of AgentToHub.
    const emit = timed.emitWithAck.bind(timed) as (e: E, m: Replies[E][0]) => Promise<Replies[E][1] | Nack>;
    try {
      return await emit(event, message);
    } catch {
      // Rejected by the library for exactly two reasons: timeout and disconnect.
      return null;
    }
  }

  /** As `ask`; a refusal of the message is logged with the path of its fault and gives null, too. */
  async askOrLog<E extends Exclude<keyof Replies, 'run:records' | 'run:output'>>(
    event: E,
    message: Replies[E][0],
    onSilence: () => void = () => {},
  ): Promise<Replies[E][1] | null> {
    const reply = await this.ask(event, message);
    if (reply === null) onSilence();
    if (reply === null || !isNack(reply)) return reply as Replies[E][1] | null;
    this.#options.log(`The hub refused ${event}: ${reply.path ? `${reply.path}: ` : ''}${reply.message}`);
    return null;
  }

  /** Drops the connection and makes a new one, for when it is not known what the hub did with a message. */
  reconnect(): void {
    // The transport, not the namespace: the hub takes a disconnect of the namespace for a goodbye.
    if (this.#socket.connected) this.#socket.io.engine.close();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket.disconnect();
  }

  #tellUnreachable(reason: string): void {
    if (reason === this.#toldReason) return;
    this.#toldReason = reason;
    this.#options.log(`The hub at ${this.#options.hub} cannot be reached (${reason}); trying again until it can.`);
  }
}

export function isNack(reply: object): reply is Nack {
  return 'code' in reply && reply.code === 'bad_message';
}

/** The socket library's own message is always "websocket error"; the reason lies beneath it. */
function describeError(error: Error): string {
  const { description } = error as Error & { description?: { error?: Error & { code?: string }; message?: string } };
  return description?.error?.code || description?.error?.message || description?.message || error.message;
}
