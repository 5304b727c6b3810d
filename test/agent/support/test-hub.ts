/**
 * The hub's side of the agent protocol over real sockets and HTTP, kept in memory, with faults on request. `kill` drops
 * every connection as a crash does; `start` comes back on the same port with what was stored.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import {
  AGENT_NAMESPACE,
  AgentAuth,
  AgentHello,
  type AgentToHub,
  type AttemptRef,
  type Grant,
  Heartbeat,
  type HubToAgent,
  RecordBatch,
  type RecordBatchReply,
  RunRefusal,
  RunRequest,
  type StopReason,
} from '@mealtable/protocol/agent-messages';
import { OutputBatch, type OutputBatchReply, type OutputLine, type OutputStream } from '@mealtable/protocol/output';
import { AttemptRecord, type EndedRecord } from '@mealtable/protocol/records';
import { SampleBatch } from '@mealtable/protocol/telemetry';
import { type AgentTunables, agentTunables } from '@mealtable/protocol/tunables';
import { Server as SocketServer } from 'socket.io';

export class StoredAttempt {
  readonly ref: AttemptRef;
  readonly records: AttemptRecord[] = [];
  readonly output: Record<OutputStream, OutputLine[]> = { stdout: [], stderr: [] };
  /** Batches that came with records already stored. */
  duplicates = 0;
  stop: StopReason | null = null;
  /** A fenced attempt's records are stored all the same; else the hub wants nothing more. */
  takesStale = false;

  constructor(ref: AttemptRef) {
    this.ref = ref;
  }

  get ackedSeq(): number {
    return this.records.length;
  }
  get ended(): EndedRecord | null {
    const last = this.records.at(-1);
    return last?.kind === 'ended' ? last : null;
  }
  get steps(): number[] {
    return this.records.flatMap((r) => (r.kind === 'metrics' ? [r.step] : []));
  }
}

export const TOKEN = 'agent-token';

export class TestHub {
  tunables: AgentTunables = {
    ...agentTunables,
    heartbeatMs: 50,
    pollMs: 50,
    spoolReadMs: 10,
    ackTimeoutMs: 2000,
    stopGraceMs: 2000,
  };
  readonly queue: Grant[] = [];
  readonly attempts = new Map<string, StoredAttempt>();
  readonly blobs = new Map<string, Buffer>();
  readonly hellos: AgentHello[] = [];
  readonly refusals: RunRefusal[] = [];
  readonly sampleBatches: SampleBatch[] = [];
  /** As the last heartbeat has it, by run and attempt. */
  readonly slots = new Map<string, number | undefined>();
  /** Of its database, sent with every hello; null: an older hub's answer. */
  clock: (() => number) | null = Date.now;
  /** Called per request; true swallows the answer to an agent's message. */
  dropsAck: (event: string) => boolean = () => false;
  /** Called per batch; true answers `unavailable`. */
  isBusy: () => boolean = () => false;
  /** Knows `run:output`, as hubs of before it do not. */
  takesOutput = false;
  /** A connect_error message for whoever comes. */
  refusal: string | null = null;
  /** Answer to blob requests instead of the real one. */
  blobFault: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
  puts = 0;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  #io: SocketServer<AgentToHub, HubToAgent> | null = null;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#serveBlob(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    const io = new SocketServer<AgentToHub, HubToAgent>(server, { serveClient: false });
    const agents = io.of(AGENT_NAMESPACE);
    agents.use((socket, next) => {
      const auth = AgentAuth.parse(socket.handshake.auth);
      const refusal = this.refusal ?? (auth.token === TOKEN ? null : 'bad_token');
      next(refusal ? new Error(refusal) : undefined);
    });
    agents.on('connection', (socket) => {
      const answer = <T>(event: string, ack: (reply: T) => void, reply: T) => {
        if (!this.dropsAck(event)) ack(reply);
      };
      socket.on('agent:hello', (message, ack) => {
        const hello = AgentHello.parse(message);
        this.hellos.push(hello);
        answer('agent:hello', ack, {
          tunables: this.tunables,
          ...(this.takesOutput && { takesOutput: true }),
          ...(this.clock && { now: this.clock() }),
          attempts: hello.attempts.map((ref) => {
            const { ackedSeq, stop } = this.attemptOf(ref);
            return { ...ref, ackedSeq, action: stop ? ('stop' as const) : ('keep' as const), reason: stop };
          }),
        });
      });
      socket.on('run:request', (message, ack) => {
        const grants = this.queue.splice(0, RunRequest.parse(message).freeSlots);
        for (const grant of grants) this.attemptOf(grant);
        answer('run:request', ack, { grants });
      });
      socket.on('run:refuse', (message, ack) => {
        if (this.dropsAck('run:refuse')) return;
        this.refusals.push(RunRefusal.parse(message));
        ack({ ok: true });
      });
      socket.on('agent:heartbeat', (message, ack) => {
        const stop = Heartbeat.parse(message).attempts.flatMap(({ slot, ...ref }) => {
          this.slots.set(`${ref.runId}.${ref.attempt}`, slot);
          const reason = this.attemptOf(ref).stop;
          return reason ? [{ ...ref, reason }] : [];
        });
        answer('agent:heartbeat', ack, { stop });
      });
      socket.on('agent:samples', (message, ack) => {
        this.sampleBatches.push(SampleBatch.parse(message));
        answer('agent:samples', ack, { ok: true as const });
      });
      socket.on('run:output', (message, ack) => {
        if (this.takesOutput) answer('run:output', ack, this.#storeOutput(OutputBatch.parse(message)));
      });
      socket.on('run:records', (message, ack) => answer('run:records', ack, this.#store(RecordBatch.parse(message))));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#io = io;
  }

  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#io?.close();
    this.#io = null;
  }

  /** Open TCP connections, agents' and uploads'. */
  get connections(): number {
    return this.#sockets.size;
  }

  nudge(): void {
    this.#io?.of(AGENT_NAMESPACE).emit('hub:nudge');
  }

  enqueue(...grants: Grant[]): void {
    this.queue.push(...grants);
    this.nudge();
  }

  attemptOf({ runId, attempt }: AttemptRef): StoredAttempt {
    const key = `${runId}.${attempt}`;
    const known = this.attempts.get(key);
    if (known) return known;
    const made = new StoredAttempt({ runId, attempt });
    this.attempts.set(key, made);
    return made;
  }

  #store({ records, ...ref }: RecordBatch): RecordBatchReply {
    const attempt = this.attemptOf(ref);
    const fenced = attempt.stop === 'fenced';
    if (fenced && !attempt.takesStale) return { ok: true, ackedSeq: attempt.ackedSeq, fenced };
    if (this.isBusy()) return { ok: false, code: 'unavailable', message: 'the database is away' };
    const parsed: AttemptRecord[] = [];
    for (const [i, record] of records.entries()) {
      const result = AttemptRecord.safeParse(record);
      const isRefused = result.success && result.data.kind === 'log' && result.data.line === 'REFUSE ME';
      if (!result.success || isRefused)
        return { ok: false, code: 'bad_record', path: `records.${i}.line`, message: 'This record is refused.' };
      parsed.push(result.data);
    }
    const fresh = parsed.filter((record) => record.seq > attempt.ackedSeq);
    if (fresh.length < parsed.length) attempt.duplicates++;
    if (fresh[0] && fresh[0].seq !== attempt.ackedSeq + 1)
      return { ok: false, code: 'resend_from', seq: attempt.ackedSeq + 1 };
    attempt.records.push(...fresh);
    return { ok: true, ackedSeq: attempt.ackedSeq, fenced };
  }

  #storeOutput({ stream, after, lines, ...ref }: OutputBatch): OutputBatchReply {
    const attempt = this.attemptOf(ref);
    const stored = attempt.output[stream];
    const mark = stored.at(-1)?.seq ?? 0;
    if (this.isBusy()) return { ok: false, code: 'unavailable', message: 'the database is away' };
    if (after === mark) stored.push(...lines);
    return { ok: true, ackedSeq: stored.at(-1)?.seq ?? 0, fenced: attempt.stop === 'fenced' };
  }

  #serveBlob(request: IncomingMessage, response: ServerResponse): void {
    const sha256 = request.url?.match(/^\/api\/agent\/blobs\/([0-9a-f]{64})$/)?.[1];
    if (!sha256 || request.headers.authorization !== `Bearer ${TOKEN}`) response.writeHead(401).end();
    else if (this.blobFault?.(request, response)) return;
    else if (request.method === 'PUT') this.#takeBlob(sha256, request, response);
    else if (!this.blobs.has(sha256)) response.writeHead(404).end();
    else this.#giveBlob(this.blobs.get(sha256)!, request, response);
  }

  #giveBlob(blob: Buffer, request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'HEAD') {
      response.writeHead(200, { 'content-length': blob.length }).end();
      return;
    }
    const from = Number(request.headers.range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': blob.length - from }).end(blob.subarray(from));
  }

  #takeBlob(sha256: string, request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      this.puts++;
      if (createHash('sha256').update(bytes).digest('hex') !== sha256)
        return response.writeHead(422).end('The bytes do not have the hash of the address.');
      this.blobs.set(sha256, bytes);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ sha256, sizeBytes: bytes.length }));
    });
  }
}
