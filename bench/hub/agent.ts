/** A simulated host: a real connection that says hello, takes runs, and reports as an agent does. Only the trainers are made up. */
import {
  AGENT_NAMESPACE,
  type AgentToHub,
  type AttemptInSlot,
  type Grant,
  type HelloReply,
  type HostReport,
  type HubToAgent,
  type RecordBatchReply,
} from '@mealtable/protocol/agent-messages';
import { configFeatures } from '@mealtable/protocol/config-features';
import type { HostSample } from '@mealtable/protocol/telemetry';
import { type AgentTunables, PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { io, type Socket } from 'socket.io-client';
import { type Pace, RunStream, type Timings } from './run-stream.ts';
import { DATASET } from './studies.ts';

const GPU_BYTES = 24e9;

export interface AgentOptions {
  url: string;
  token: string;
  hostId: string;
  name: string;
  slots: number;
  pace: Pace;
  timings: Timings & { heartbeats: number[] };
  /** Nothing is to go wrong: the first thing that does ends the benchmark. */
  onFault: (error: Error) => void;
}

export class SimulatedAgent {
  readonly #options: AgentOptions;
  readonly #socket: Socket<HubToAgent, AgentToHub>;
  readonly #timers: NodeJS.Timeout[] = [];
  #tunables: AgentTunables | null = null;
  readonly streams: RunStream[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    const { url, token, hostId } = options;
    this.#socket = io(`${url}${AGENT_NAMESPACE}`, {
      auth: { token, protocolVersion: PROTOCOL_VERSION, agentVersion: '0.1.0', hostId },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
  }

  /** Connects and says hello; heartbeats and telemetry from then on. */
  async attach(): Promise<void> {
    const { name, slots, hostId, onFault } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('connect_error', reject);
    });
    this.#socket.once('disconnect', (reason) => onFault(new Error(`The hub cut off ${name}: ${reason}.`)));
    const reply = await this.#ask<HelloReply>('agent:hello', { report: makeReport(name, slots), attempts: [] });
    if (!reply.tunables) throw new Error(`${hostId} was answered ${JSON.stringify(reply)}.`);
    const { heartbeatMs, sampleMs } = reply.tunables;
    this.#tunables = reply.tunables;
    const repeat = (ms: number, work: () => Promise<void>) =>
      this.#timers.push(setInterval(() => void work().catch(onFault), ms));
    repeat(heartbeatMs, () => this.#heartbeat());
    repeat(sampleMs, () => this.#sample(sampleMs / 1000));
  }

  /** Asks for runs until every slot has one, and starts them. */
  async begin(): Promise<void> {
    const tunables = this.#tunables!;
    const { slots, pace, timings, onFault } = this.#options;
    while (this.streams.length < slots) {
      const { grants } = await this.#ask<{ grants: Grant[] }>('run:request', {
        freeSlots: slots - this.streams.length,
      });
      if (grants.length === 0) await this.#nudged(tunables.pollMs);
      for (const { runId, attempt } of grants) {
        const send = (batch: object) => this.#ask<RecordBatchReply>('run:records', batch);
        this.streams.push(new RunStream({ runId, attempt }, pace, tunables, send, timings));
      }
    }
    for (const stream of this.streams) stream.start(onFault);
  }

  /** @returns records written by each of its runs */
  finish(): Promise<number[]> {
    return Promise.all(this.streams.map((stream) => stream.finish()));
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket.off('disconnect');
    this.#socket.disconnect();
  }

  async #heartbeat(): Promise<void> {
    const attempts: AttemptInSlot[] = this.streams.map(({ ref }, slot) => ({ ...ref, slot }));
    const sentAt = performance.now();
    const { stop } = await this.#ask<{ stop: unknown[] }>('agent:heartbeat', { attempts });
    if (stop.length > 0) throw new Error(`${this.#options.name} was to stop ${JSON.stringify(stop)}.`);
    this.#options.timings.heartbeats.push(performance.now() - sentAt);
  }

  async #sample(widthS: number): Promise<void> {
    const sample = { at: Date.now(), ...makeSample(this.streams) };
    await this.#ask('agent:samples', { widthS, samples: [sample] });
  }

  async #ask<R>(event: keyof AgentToHub, message: object): Promise<R> {
    const limitMs = this.#tunables?.ackTimeoutMs ?? 10_000;
    try {
      return (await (this.#socket.timeout(limitMs) as unknown as Socket).emitWithAck(event, message)) as R;
    } catch (cause) {
      throw new Error(`${this.#options.name} was not answered ${event} within ${limitMs} ms.`, { cause });
    }
  }

  #nudged(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#socket.off('hub:nudge', go);
        resolve();
      };
      const timer = setTimeout(go, limitMs);
      this.#socket.once('hub:nudge', go);
    });
  }
}

function makeReport(name: string, slots: number): HostReport {
  return {
    ...{
      name,
      platform: 'linux-x64',
      cpuModel: 'bench',
      cpuCount: 16,
      memoryBytes: 64e9,
      slots,
      backend: 'tensorflow',
    },
    gpus: Array.from({ length: slots }, (_, index) => ({ index, name: 'bench', memoryBytes: GPU_BYTES })),
    datasets: [DATASET],
    labelSets: [],
    configFeatures: [...configFeatures()],
  };
}

function makeSample(streams: readonly RunStream[]): HostSample {
  return {
    machine: {
      ...{ cpuPercent: 40, memoryUsedBytes: 2e10, memoryTotalBytes: 64e9, diskUsedBytes: 1e11, diskFreeBytes: 9e11 },
      ...{ diskReadBytesPerS: 1e6, diskWriteBytesPerS: 1e6, networkReceivedBytesPerS: 1e4, networkSentBytesPerS: 1e4 },
    },
    gpus: streams.map((_, index) => ({
      ...{ index, utilisationPercent: 97, memoryUsedBytes: 2e10, memoryTotalBytes: GPU_BYTES },
      ...{ powerW: 300, temperatureC: 66 },
    })),
    trainers: streams.map(({ ref }, slot) => ({ ...ref, slot, gpu: slot, cpuPercent: 100, rssBytes: 2e9 })),
  };
}
