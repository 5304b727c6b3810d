/** One try to deliver: a POST to an address that was checked, within a time limit, with a bounded answer. */
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { MAX_WEBHOOK_ANSWER_BYTES, WEBHOOK_TIMEOUT_MS } from '@mealtable/protocol/tunables';
import { type Address, AddressRefused, findAddresses, type Resolve } from './check-address.ts';

export interface SendOptions {
  resolve: Resolve;
  timeoutMs?: number;
  /** Cuts the try off: the hub ends. */
  ending?: AbortSignal;
}
/** `final`: another try would end the same way. */
export type SendResult =
  | { ok: true; status: number }
  | { ok: false; status: number | null; error: string; final: boolean };

const fault = (error: string, status: number | null = null, final = false): SendResult => ({
  ok: false,
  status,
  error,
  final,
});

/** Never throws: whatever goes wrong between here and the receiver is a result. Redirects are not followed. */
export async function sendWebhook(
  { url, allowsPrivate }: { url: string; allowsPrivate: boolean },
  headers: Record<string, string>,
  body: string,
  { resolve, timeoutMs = WEBHOOK_TIMEOUT_MS, ending }: SendOptions,
): Promise<SendResult> {
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(ending ? [ending] : [])]);
  try {
    const target = new URL(url);
    const addresses = await orAbort(findAddresses(target, allowsPrivate, resolve), signal);
    return judgeAnswer(await post(target, addresses, headers, body, signal));
  } catch (error) {
    if (error instanceof AddressRefused) return fault(error.message, null, true);
    if (ending?.aborted) return fault('The hub ended before an answer came.');
    if (signal.aborted) return fault(`No answer came within ${timeoutMs / 1000} seconds.`);
    return fault(describeNetworkFault(error));
  }
}

/** A resolver cannot be interrupted, only left alone. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

interface Answer {
  status: number;
  location: string | undefined;
  text: string;
}

function post(
  url: URL,
  addresses: Address[],
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<Answer> {
  // The name is not resolved again: the answer could be another one by now.
  const lookup: LookupFunction = (_hostname, options, done) => {
    if (options.all) done(null, addresses);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent: false,
      lookup,
      signal,
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Mealtable',
      },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      const finish = () => {
        const text = Buffer.concat(parts).subarray(0, MAX_WEBHOOK_ANSWER_BYTES).toString('utf8');
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, text });
        sent.destroy();
      };
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size >= MAX_WEBHOOK_ANSWER_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', reject);
    });
    sent.end(body);
  });
}

/** Characters of an answer that are kept with a failed delivery. */
const MAX_SHOWN = 300;

function judgeAnswer({ status, location, text }: Answer): SendResult {
  if (status >= 200 && status < 300) return { ok: true, status };
  if (status >= 300 && status < 400)
    return fault(`It redirects to ${location?.slice(0, MAX_SHOWN) ?? 'nowhere'}, which is not followed.`, status);
  const said = text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SHOWN);
  return fault(said === '' ? `It answered ${status} and nothing else.` : `It answered ${status}: ${said}`, status);
}

const FAULTS: Record<string, string> = {
  ECONNREFUSED: 'Nothing listens at this address and port.',
  ECONNRESET: 'The receiver closed the connection without an answer.',
  ENOTFOUND: 'The name in the address is not known.',
  EAI_AGAIN: 'The name in the address could not be looked up now.',
  EHOSTUNREACH: 'There is no way to this address.',
  ENETUNREACH: 'There is no way to this address.',
  ETIMEDOUT: 'The connection was not answered.',
};

function describeNetworkFault(error: unknown): string {
  // Several addresses were tried in turn; the first fault says as much as the others.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = first as NodeJS.ErrnoException;
  return FAULTS[code ?? ''] ?? `The connection failed: ${message.slice(0, MAX_SHOWN)}`;
}
