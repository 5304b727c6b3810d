/** A hub of weights with one file, and the other server that it sends downloads to; both can be made to misbehave. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = 'c0ffee'.padEnd(40, '0');

/** Answers a request in its own way; 'pass' leaves it to the server. `n` counts the requests of this kind from 1. */
type Answer = (request: IncomingMessage, response: ServerResponse, n: number) => unknown;

export interface Seen {
  method: string;
  url: string;
  range: string | undefined;
  authorization: string | undefined;
}

export class WeightsHub {
  readonly bytes: Buffer;
  /** Requests to the hub itself, and those to the server that it leads to. */
  readonly asked: Seen[] = [];
  readonly sent: Seen[] = [];
  onHub: Answer = () => 'pass';
  onDownload: Answer = () => 'pass';
  /** What the hub says instead of the truth. */
  sha256: string | null;
  readonly #hub: Server;
  readonly #downloads: Server;

  private constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#hub = createServer((request, response) => {
      this.asked.push(note(request));
      if (this.onHub(request, response, this.asked.length) === 'pass') this.#redirect(request, response);
    });
    this.#downloads = createServer((request, response) => {
      this.sent.push(note(request));
      if (this.onDownload(request, response, this.sent.length) === 'pass') this.#send(request, response);
    });
  }

  static async start(bytes: Buffer): Promise<WeightsHub> {
    const hub = new WeightsHub(bytes);
    for (const server of [hub.#hub, hub.#downloads])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#downloads]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #redirect(request: IncomingMessage, response: ServerResponse): void {
    if (!/^\/timm\/[^/]+\/resolve\/main\/model\.safetensors$/.test(request.url ?? '')) {
      response.writeHead(404).end('Not found');
      return;
    }
    const headers: Record<string, string> = {
      location: `http://127.0.0.1:${(this.#downloads.address() as AddressInfo).port}/bytes?signature=1`,
      'x-linked-size': String(this.bytes.length),
      'x-repo-commit': COMMIT,
    };
    if (this.sha256 !== null) headers['x-linked-etag'] = `"${this.sha256}"`;
    response.writeHead(302, headers).end();
  }

  #send(request: IncomingMessage, response: ServerResponse): void {
    const begin = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (begin > 0 && begin >= this.bytes.length) {
      response.writeHead(416).end();
      return;
    }
    const headers: Record<string, string | number> = { 'content-length': this.bytes.length - begin };
    if (begin > 0) headers['content-range'] = `bytes ${begin}-${this.bytes.length - 1}/${this.bytes.length}`;
    response.writeHead(begin > 0 ? 206 : 200, headers).end(this.bytes.subarray(begin));
  }
}

function note({ method, url, headers }: IncomingMessage): Seen {
  return { method: method!, url: url!, range: headers.range, authorization: headers.authorization };
}
