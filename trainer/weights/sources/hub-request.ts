/** Requests to a Hugging Face-style hub: what a file is, and its bytes from some place on. */

/** The hub's own answer, which another try would not change. */
export class HubRefusal extends Error {}
/** No answer, or one that may be another in a while. */
export class HubUnreachable extends Error {}

export interface RemoteFile {
  url: string;
  sha256: string;
  sizeBytes: number;
  commit: string;
}

export interface HubConnection {
  endpoint: string;
  token: string | null;
  signal: AbortSignal;
  /** How long a server may take to begin its answer, and to send more of it, in milliseconds. */
  silenceMs: number;
}

const MAX_REDIRECTS = 5;
const SHA256 = /^[0-9a-f]{64}$/;
const COMMIT = /^[0-9a-f]{40}$/;

export const fileUrl = (endpoint: string, repo: string, file: string): string =>
  `${endpoint}/${repo}/resolve/main/${file}`;

/** @throws {HubRefusal | HubUnreachable} naming the address and the answer */
export async function describeRemote(connection: HubConnection, url: string): Promise<RemoteFile> {
  // Identity: with compression the length would be another one.
  const reply = await follow(
    connection,
    url,
    { method: 'HEAD', headers: { 'accept-encoding': 'identity' } },
    (answer) => answer.headers.has('x-linked-etag'),
  );
  requireSuccess(reply, url, (status) => status < 400);
  const { headers } = reply;
  const sha256 = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
  const sizeBytes = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? Number.NaN);
  const commit = headers.get('x-repo-commit') ?? '';
  if (!SHA256.test(sha256) || !COMMIT.test(commit) || !Number.isSafeInteger(sizeBytes))
    throw new HubRefusal(`${url} does not state the file's SHA-256, size and commit, so it could not be verified`);
  return { url, sha256, sizeBytes, commit };
}

export interface RemoteBytes {
  /** Where in the file the bytes begin: the hub may not be able to start in the middle. */
  begin: number;
  chunks: AsyncIterable<Uint8Array>;
}

/** @throws {HubRefusal | HubUnreachable} at once, and while the chunks are read */
export async function openRemote(connection: HubConnection, url: string, begin: number): Promise<RemoteBytes> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (begin > 0) headers.range = `bytes=${begin}-`;
  const reply = await follow(connection, url, { method: 'GET', headers }, () => false);
  if (reply.status === 416) {
    await reply.body?.cancel();
    return begin === 0 ? refuse(url, 416) : openRemote(connection, url, 0);
  }
  requireSuccess(reply, url, (status) => status === 200 || status === 206);
  const isPartial = reply.status === 206 && reply.headers.get('content-range')?.startsWith(`bytes ${begin}-`) === true;
  if (reply.status === 206 && !isPartial && begin > 0) {
    await reply.body?.cancel();
    return openRemote(connection, url, 0);
  }
  return { begin: isPartial ? begin : 0, chunks: chunksOf(reply, connection, url) };
}

/** Follows redirects until `isEnough`; the token stays with the hub's own origin. */
async function follow(
  connection: HubConnection,
  url: string,
  init: { method: string; headers: Record<string, string> },
  isEnough: (reply: Response) => boolean,
): Promise<Response> {
  const { origin } = new URL(connection.endpoint);
  let at = new URL(url);
  for (let hops = 0; ; hops++) {
    const headers = { ...init.headers };
    if (connection.token !== null && at.origin === origin) headers.authorization = `Bearer ${connection.token}`;
    const reply = await send(connection, at, { ...init, headers });
    const location = reply.headers.get('location');
    if (reply.status < 300 || reply.status >= 400 || location === null || isEnough(reply)) return reply;
    await reply.body?.cancel();
    if (hops === MAX_REDIRECTS) throw new HubRefusal(`${url} leads from one address to the next without end`);
    at = new URL(location, at);
  }
}

async function send(connection: HubConnection, url: URL, init: RequestInit): Promise<Response> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), connection.silenceMs);
  try {
    const signal = AbortSignal.any([connection.signal, silence.signal]);
    return await fetch(url, { ...init, redirect: 'manual', signal });
  } catch (error) {
    connection.signal.throwIfAborted();
    const reason = silence.signal.aborted ? `no answer in ${connection.silenceMs / 1000} s` : reasonOf(error);
    throw new HubUnreachable(`${url.origin} could not be reached (${reason})`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function* chunksOf(
  reply: Response,
  { signal, silenceMs }: HubConnection,
  url: string,
): AsyncGenerator<Uint8Array, void> {
  const reader = reply.body?.getReader();
  if (!reader) return;
  let silence: NodeJS.Timeout | undefined;
  const onAbort = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', onAbort, { once: true });
  let isSilent = false;
  try {
    for (;;) {
      silence = setTimeout(() => {
        isSilent = true;
        onAbort();
      }, silenceMs);
      const { done, value } = await reader.read();
      clearTimeout(silence);
      signal.throwIfAborted();
      if (isSilent) throw new HubUnreachable(`${url} sent nothing for ${silenceMs / 1000} s`);
      if (done) return;
      yield value;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HubUnreachable) throw error;
    throw new HubUnreachable(`${url} broke off (${reasonOf(error)})`, { cause: error });
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', onAbort);
    onAbort();
  }
}

function requireSuccess(reply: Response, url: string, isSuccess: (status: number) => boolean): void {
  if (isSuccess(reply.status)) return;
  void reply.body?.cancel();
  refuse(url, reply.status);
}

function refuse(url: string, status: number): never {
  if (status === 408 || status === 429 || status >= 500) throw new HubUnreachable(`${url} answered ${status}`);
  const why: Record<number, string> = {
    401: ': it wants to know who asks. Set HF_TOKEN to a token that may read it',
    403: ': the token in HF_TOKEN may not read it',
    404: ': there is no such file',
  };
  throw new HubRefusal(`${url} answered ${status}${why[status] ?? ''}`);
}

/** fetch says only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
  return cause?.code || cause?.message || (error as Error).message;
}
