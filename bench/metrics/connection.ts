/** One agent's connection under load: a run of its own, one batch in flight, the next as soon as that is stored. */
import { AGENT_NAMESPACE, type AgentToHub, type Grant, type HubToAgent } from '@mealtable/protocol/agent-messages';
import { configFeatures } from '@mealtable/protocol/config-features';
import type { AttemptRecord } from '@mealtable/protocol/records';
import { PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { io, type Socket } from 'socket.io-client';
import { DATASET } from '../hub/studies.ts';

/** Of every record, as a trainer has them: a learning rate that stays, and numbers that float32 holds. */
export const METRICS = [
  ...['train/loss', 'train/similarity_loss', 'train/discriminator_loss', 'train/top1'],
  ...['train/top5', 'train/learning_rate', 'train/images_per_s', 'train/grad_norm'],
];
const STEPS_PER_EPOCH = 391;
const STEP_MS = 50;
/** Values to take from in turn: making them is not what is measured. */
const VALUES = Float32Array.from({ length: 65_536 }, (_, i) => Math.sin(i * 0.7) + Math.sin(i * 0.013));

export const valueAt = (seq: number, metric: number): number =>
  METRICS[metric] === 'train/learning_rate' ? 0.1 : VALUES[(seq * METRICS.length + metric) % VALUES.length]!;

export class Connection {
  readonly #socket: Socket<HubToAgent, AgentToHub>;
  readonly #name: string;
  #grant: Grant | null = null;
  #seq = 0;
  /** Of the batches so far: milliseconds from its sending to its ack, when it was acked, and its points. */
  readonly acks: { ms: number; at: number; points: number }[] = [];

  constructor(url: string, token: string, hostId: string, name: string) {
    this.#name = name;
    this.#socket = io(`${url}${AGENT_NAMESPACE}`, {
      auth: { token, protocolVersion: PROTOCOL_VERSION, agentVersion: '0.1.0', hostId },
      ...{ transports: ['websocket'], reconnection: false, forceNew: true, autoConnect: false },
    });
  }

  get runId(): string {
    return this.#grant!.runId;
  }

  /** Connects and says hello. */
  async attach(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('connect_error', reject);
      this.#socket.connect();
    });
    const report = {
      ...{ name: this.#name, platform: 'linux-x64', cpuModel: 'bench', cpuCount: 16, memoryBytes: 64e9, gpus: [] },
      ...{ slots: 1, backend: 'tensorflow', datasets: [DATASET], labelSets: [], configFeatures: [...configFeatures()] },
    };
    const hello = await this.#socket.emitWithAck('agent:hello', { report, attempts: [] });
    if (!('tunables' in hello)) throw new Error(`${this.#name} was answered ${JSON.stringify(hello)}.`);
  }

  /** Takes a run. */
  async begin(): Promise<void> {
    const { grants } = (await this.#socket.emitWithAck('run:request', { freeSlots: 1 })) as { grants: Grant[] };
    if (!grants[0]) throw new Error(`There was no run for ${this.#name}.`);
    this.#grant = grants[0];
    this.#seq = 1;
    await this.#send([
      {
        ...{ seq: 1, at: Date.now(), kind: 'started', stepsCompleted: 0, stepsPerEpoch: STEPS_PER_EPOCH },
        ...{ totalSteps: 2 ** 31 - 1, backend: 'bench', device: 'none', parameterCount: 1 },
      },
    ]);
  }

  /** Sends batches until then. @param pointsOfBatch of each batch, about */
  async sendUntil(end: number, pointsOfBatch: () => number): Promise<void> {
    const began = Date.now() - this.#seq * STEP_MS;
    while (performance.now() < end) {
      const count = Math.max(1, Math.round(pointsOfBatch() / METRICS.length));
      const records = Array.from({ length: count }, () => this.#record(++this.#seq, began));
      const sentAt = performance.now();
      await this.#send(records);
      const at = performance.now();
      this.acks.push({ ms: at - sentAt, at, points: count * METRICS.length });
    }
  }

  #record(seq: number, began: number): AttemptRecord {
    const step = seq - 1;
    const values: Record<string, number> = {};
    for (const [i, name] of METRICS.entries()) values[name] = valueAt(seq, i);
    // A step takes as long as it takes.
    const at = began + seq * STEP_MS + ((seq * 7) % 5);
    return { seq, at, kind: 'metrics', step, epoch: step / STEPS_PER_EPOCH, values };
  }

  async #send(records: AttemptRecord[]): Promise<void> {
    const { runId, attempt } = this.#grant!;
    const reply = await this.#socket.emitWithAck('run:records', { runId, attempt, records });
    if (!reply.ok || reply.ackedSeq !== records.at(-1)!.seq)
      throw new Error(`${this.#name} was answered ${JSON.stringify(reply)}.`);
  }

  close(): void {
    this.#socket.disconnect();
  }
}
