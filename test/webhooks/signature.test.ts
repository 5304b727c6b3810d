/** The two functions that docs/notifications.md gives to receivers, run as they stand there on a message that was really sent. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendWebhook } from '../../server/webhooks/send.ts';
import { makeSecret, signHeaders } from '../../server/webhooks/sign.ts';
import { type Received, startReceiver } from './receiver.ts';

const run = promisify(execFile);
const DOCUMENT = readFileSync(path.resolve(import.meta.dirname, '../../docs/notifications.md'), 'utf8');
const codeOf = (language: string) => DOCUMENT.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))![1]!;

const secret = makeSecret();
let folder: string;
let message: Received;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mealtable-signature-'));
  writeFileSync(path.join(folder, 'check.mjs'), codeOf('js'));
  writeFileSync(path.join(folder, 'check.py'), codeOf('python'));
  const receiver = await startReceiver();
  const body = JSON.stringify({ type: 'test', text: 'Größe "ok"' });
  const headers = signHeaders(secret, 'evt_1', Math.floor(Date.now() / 1000), body);
  await sendWebhook({ url: receiver.url, allowsPrivate: true }, headers, body, { resolve: async () => [] });
  message = receiver.received[0]!;
  await receiver.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** How each language is asked; both answer "true" or "false". */
const LANGUAGES = {
  Node: (input: string) =>
    run(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { isFromMealtable } from ${JSON.stringify(path.join(folder, 'check.mjs'))};
         console.log(isFromMealtable(...JSON.parse(process.argv[1])));`,
        input,
      ],
      { cwd: folder },
    ),
  Python: (input: string) =>
    run(
      'python3',
      [
        '-c',
        'import json, sys; from check import is_from_mealtable; print(str(is_from_mealtable(*json.loads(sys.argv[1]))).lower())',
        input,
      ],
      { cwd: folder },
    ),
};

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.warn('Skipped: checking a signature in Python needs python3.');

describe.each(Object.entries(LANGUAGES))('in %s', (name, ask) => {
  const check = async (key: string, { headers, body }: Pick<Received, 'headers' | 'body'>) =>
    (await ask(JSON.stringify([key, headers, body]))).stdout.trim();

  test.skipIf(name === 'Python' && !hasPython)('a message of the hub is known, and nothing else', async () => {
    const old = signHeaders(secret, 'evt_1', Math.floor(Date.now() / 1000) - 301, message.body);
    const several = { ...message.headers, 'webhook-signature': `v1,AAAA ${message.headers['webhook-signature']}` };
    const answers = await Promise.all([
      check(secret, message),
      check(secret, { ...message, headers: several }),
      check(makeSecret(), message),
      check(secret, { ...message, body: `${message.body} ` }),
      check(secret, { ...message, headers: { ...message.headers, 'webhook-id': 'evt_2' } }),
      check(secret, { ...message, headers: old }),
    ]);
    expect(answers).toEqual(['true', 'true', 'false', 'false', 'false', 'false']);
  });
});
