/** The way between one agent and the hub: a TCP proxy that cuts, delays, and stops, and repeats and reorders socket messages. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FrameSplitter, isMessage } from './frames.ts';
import type { Random } from './random.ts';

/** How long a message that is to be overtaken waits for another one. */
const OVERTAKEN_MS = 300;
const HEAD_END = '\r\n\r\n';

export class Link {
  /** False: whoever connects is turned away. */
  isOpen = true;
  /** True: nothing arrives any more, and nobody is told, as behind a broken switch. */
  isStopped = false;
  delayMs = 0;
  /** Shares of the messages that come twice, the second time late, and that are overtaken by the next one. */
  repeats = 0;
  reorders = 0;
  /** What it has done so far. */
  readonly done = { repeated: 0, reordered: 0 };
  readonly random: Random;
  readonly #hubPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #lanes = new Set<Lane>();
  #server: Server | null = null;
  #port = 0;

  constructor(hubPort: number, random: Random) {
    this.#hubPort = hubPort;
    this.random = random;
  }

  /** Nothing is wrong with it just now. */
  get isQuiet(): boolean {
    return this.isOpen && !this.isStopped && this.delayMs + this.repeats + this.reorders === 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    const server = createServer((agent) => this.#serve(agent));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#port = (server.address() as { port: number }).port;
    this.#server = server;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** As good as new; what was stopped arrives now. */
  heal(): void {
    Object.assign(this, { isOpen: true, isStopped: false, delayMs: 0, repeats: 0, reorders: 0 });
    for (const lane of this.#lanes) lane.flow();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #serve(agent: Socket): void {
    if (!this.isOpen) {
      agent.destroy();
      return;
    }
    const hub = connect(this.#hubPort, '127.0.0.1');
    this.#pipe(agent, hub);
    this.#pipe(hub, agent);
  }

  #pipe(from: Socket, to: Socket): void {
    const lane = new Lane(this, to);
    this.#sockets.add(from);
    this.#lanes.add(lane);
    from.on('data', (chunk: Buffer) => lane.push(chunk));
    from.on('error', () => {}); // followed by 'close'
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#lanes.delete(lane);
      to.destroy();
    });
  }
}

/** One direction of one connection. */
class Lane {
  readonly #link: Link;
  readonly #to: Socket;
  readonly #queue: { bytes: Buffer; dueAt: number }[] = [];
  /** Null until the head of the HTTP request or answer is through; then frames, of a WebSocket, or bytes. */
  #frames: FrameSplitter | 'bytes' | null = null;
  #head = Buffer.alloc(0);
  #held: Buffer | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, to: Socket) {
    this.#link = link;
    this.#to = to;
  }

  push(chunk: Buffer): void {
    if (this.#frames === 'bytes') this.#send(chunk);
    else if (this.#frames) for (const frame of this.#frames.push(chunk)) this.#pushFrame(frame);
    else this.#pushHead(chunk);
  }

  flow(): void {
    clearTimeout(this.#timer);
    while (!this.#link.isStopped && this.#queue.length > 0) {
      const wait = this.#queue[0]!.dueAt - performance.now();
      if (wait > 0 && this.#link.delayMs > 0) {
        this.#timer = setTimeout(() => this.flow(), wait);
        return;
      }
      this.#to.write(this.#queue.shift()!.bytes);
    }
  }

  #pushHead(chunk: Buffer): void {
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#head.subarray(0, end + HEAD_END.length);
    const rest = this.#head.subarray(head.length);
    this.#frames = /^upgrade: websocket/im.test(head.toString('latin1')) ? new FrameSplitter() : 'bytes';
    this.#send(head);
    if (rest.length > 0) this.push(rest);
  }

  #pushFrame(frame: Buffer): void {
    const { random, repeats, reorders, done } = this.#link;
    if (isMessage(frame) && !this.#held && random.chance(reorders)) {
      done.reordered++;
      this.#held = frame;
      setTimeout(() => this.#sendHeld(), OVERTAKEN_MS);
      return;
    }
    this.#send(frame);
    if (!isMessage(frame)) return;
    this.#sendHeld();
    if (!random.chance(repeats)) return;
    done.repeated++;
    setTimeout(() => this.#send(frame), random.between(0, OVERTAKEN_MS));
  }

  #sendHeld(): void {
    if (this.#held) this.#send(this.#held);
    this.#held = null;
  }

  #send(bytes: Buffer): void {
    this.#queue.push({ bytes, dueAt: performance.now() + this.#link.delayMs });
    this.flow();
  }
}
