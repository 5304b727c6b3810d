import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Address, isPublic, type Resolve } from '../../server/webhooks/check-address.ts';
import { type SendResult, sendWebhook } from '../../server/webhooks/send.ts';
import { answerWith, type Receiver, startReceiver } from './receiver.ts';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const LOOPBACK: Address[] = [{ address: '127.0.0.1', family: 4 }];
const toLoopback: Resolve = async () => LOOPBACK;
const noNames: Resolve = async (hostname) => {
  throw new Error(`${hostname} was looked up.`);
};
interface Sending {
  url?: string;
  allowsPrivate?: boolean;
  resolve?: Resolve;
  timeoutMs?: number;
}
const send = ({ url = receiver.url, allowsPrivate = true, resolve = noNames, timeoutMs }: Sending = {}) =>
  sendWebhook({ url, allowsPrivate }, { 'webhook-id': 'evt_1' }, '{"ö":1}', { resolve, timeoutMs });
const errorOf = (result: SendResult) => (result.ok ? null : result.error);

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.127.255.255',
    '198.18.0.1',
    '192.0.2.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'no address',
  ])('%s is not public', (address) => expect(isPublic(address)).toBe(false));

  test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '169.253.1.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is public',
    (address) => expect(isPublic(address)).toBe(true),
  );

  // Each of them is 127.0.0.1 or another address of this machine in some spelling.
  test.each([
    'http://127.0.0.1',
    'http://127.1',
    'http://2130706433',
    'http://0x7f.1',
    'http://0177.0.0.1',
    'http://[::1]',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:7f00:1]',
    'http://0',
    'http://１２７.0.0.1',
  ])('%s is refused for good, and nothing is sent', async (origin) => {
    const result = await send({ url: `${origin}:${receiver.port}/`, allowsPrivate: false });
    expect(result).toMatchObject({ ok: false, status: null, final: true });
    expect(errorOf(result)).toMatch(/Allow private addresses for this webhook if that is meant\.$/);
    expect(receiver.received).toEqual([]);
  });

  test('a name is refused when one of its addresses is private', async () => {
    const url = `http://hooks.example.org:${receiver.port}/`;
    const resolve: Resolve = async () => [{ address: '1.1.1.1', family: 4 }, ...LOOPBACK];
    const result = await send({ url, allowsPrivate: false, resolve });
    expect(errorOf(result)).toMatch(/^hooks\.example\.org is at 127\.0\.0\.1, an address of this machine/);
    expect(result).toMatchObject({ final: true });
    expect(receiver.received).toEqual([]);
  });

  test('a name is looked up once: an answer that changes after the check leads nowhere', async () => {
    const url = `http://rebind.example.org:${receiver.port}/`;
    const answers: Address[][] = [[{ address: '192.0.2.1', family: 4 }], LOOPBACK];
    let asked = 0;
    const resolve: Resolve = async () => answers[Math.min(asked++, 1)]!;
    // Allowed, so that the first answer passes: a network for documentation, where nobody answers.
    await send({ url, resolve, timeoutMs: 300 });
    expect(asked).toBe(1);
    expect(receiver.received).toEqual([]);
    // The second sending asks anew, and goes where that answer leads.
    expect(await send({ url, resolve })).toEqual({ ok: true, status: 204 });
    expect(asked).toBe(2);
    expect(receiver.received[0]!.headers.host).toBe(`rebind.example.org:${receiver.port}`);
  });

  test('private ones are reached where they are allowed', async () => {
    expect(await send()).toEqual({ ok: true, status: 204 });
    expect(await send({ url: `http://inside:${receiver.port}/x?y=1`, resolve: toLoopback })).toEqual({
      ok: true,
      status: 204,
    });
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/x?y=1']);
  });
});

describe('a try', () => {
  test('posts the body as JSON, byte for byte, with the headers', async () => {
    await send();
    const [{ headers, body }] = receiver.received as [(typeof receiver.received)[number]];
    expect(body).toBe('{"ö":1}');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'evt_1', 'content-length': '8' });
  });

  test('ends with what the receiver said, cut', async () => {
    receiver.answer = answerWith(500, `the   disk\nis full ${'x'.repeat(1_000)}`);
    const result = await send();
    expect(result).toMatchObject({ ok: false, status: 500, final: false });
    expect(errorOf(result)).toMatch(/^It answered 500: the disk is full x{280,290}$/);
    receiver.answer = answerWith(404);
    expect(errorOf(await send())).toBe('It answered 404 and nothing else.');
  });

  test('does not follow a redirect', async () => {
    receiver.answer = answerWith(302, '', { Location: `${receiver.url}/elsewhere` });
    const result = await send();
    expect(errorOf(result)).toBe(`It redirects to ${receiver.url}/elsewhere, which is not followed.`);
    expect(receiver.received).toHaveLength(1);
  });

  test('reads a bounded part of an answer without end', async () => {
    let written = 0;
    receiver.answer = (res) => {
      res.writeHead(200);
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(65_536))) written += 65_536;
      };
      res.on('drain', more);
      more();
    };
    expect(await send()).toEqual({ ok: true, status: 200 });
    expect(written).toBeLessThan(20_000_000);
  });

  test('is given up at the time limit: no answer, half an answer, a name that is never found', async () => {
    const timeoutMs = 150;
    receiver.answer = () => {};
    expect(errorOf(await send({ timeoutMs }))).toBe('No answer came within 0.15 seconds.');
    receiver.answer = (res) => {
      res.writeHead(200);
      res.write('x');
    };
    expect(await send({ timeoutMs })).toMatchObject({ ok: false, final: false });
    const never: Resolve = () => new Promise(() => {});
    expect(errorOf(await send({ url: 'http://slow.example/', resolve: never, timeoutMs }))).toMatch(/^No answer/);
  });

  test('says in plain words why nobody was reached', async () => {
    const { url, port } = receiver;
    const unknown: Resolve = async () => {
      throw Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
    };
    expect(errorOf(await send({ url: 'http://gone.example/', resolve: unknown }))).toMatch(/is not known\.$/);
    expect(errorOf(await send({ url: `https://127.0.0.1:${port}/` }))).toMatch(/^The connection failed: /);
    receiver.answer = (res) => res.destroy();
    expect(errorOf(await send())).toBe('The receiver closed the connection without an answer.');
    await receiver.close();
    expect(errorOf(await send({ url }))).toBe('Nothing listens at this address and port.');
  });
});
