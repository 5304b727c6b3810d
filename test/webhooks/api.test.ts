/** Who may do what with webhooks, and what is refused, over the hub's API. */
import type { NewWebhook } from '@mealtable/protocol/webhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestHub, type TestHub, type TestMember } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';

let hub: TestHub;
let owner: TestMember;
beforeAll(async () => {
  hub = await startTestHub();
  owner = await hub.addMember('owner');
});
afterAll(() => hub.close());

async function call(cookie: string, type: 'query' | 'mutation', name: string, input: unknown) {
  const headers = { Cookie: cookie, 'Content-Type': 'application/json' };
  const json = JSON.stringify({ json: input });
  const reply =
    type === 'query'
      ? await rawRequest(hub.url, `/api/trpc/${name}?input=${encodeURIComponent(json)}`, { headers })
      : await rawRequest(hub.url, `/api/trpc/${name}`, { method: 'POST', headers, body: json });
  const { result, error } = JSON.parse(reply.body);
  return { status: reply.status, data: result?.data.json, message: error?.json.message as string | undefined };
}
const webhook: NewWebhook = {
  label: 'chat',
  url: 'https://hooks.example.org/x',
  kinds: ['run-failed'],
  allowsPrivate: false,
  enabled: false,
};

test('are seen and changed by owners alone', async () => {
  const editor = await hub.addMember('editor');
  const { id } = (await call(owner.cookie, 'mutation', 'webhooks.create', webhook)).data;
  for (const name of ['webhooks.list', 'webhooks.deliveries'])
    expect((await call(editor.cookie, 'query', name, { id })).status, name).toBe(403);
  for (const name of ['create', 'change', 'newSecret', 'remove', 'test', 'redeliver'])
    expect((await call(editor.cookie, 'mutation', `webhooks.${name}`, { id })).status, name).toBe(403);
  expect((await call(owner.cookie, 'query', 'webhooks.list', undefined)).data).toHaveLength(1);
});

test.each<[string, Partial<Record<keyof NewWebhook, unknown>>, RegExp]>([
  ['an address of another kind', { url: 'ftp://example.org/' }, /^url: Give a whole address that starts with https/],
  ['half an address', { url: 'example.org/hook' }, /^url: Give a whole address/],
  ['a password in the address', { url: 'https://a:b@example.org/' }, /^url: Leave name and password out/],
  ['no label', { label: '  ' }, /^label: Give the webhook a label\.$/],
  ['no kind', { kinds: [] }, /^kinds: Choose at least one kind of event\.$/],
  ['a kind that is not told', { kinds: ['test'] }, /^kinds\.0: /],
])('%s is refused, with the field and what to do', async (_what, part, message) => {
  const reply = await call(owner.cookie, 'mutation', 'webhooks.create', { ...webhook, ...part });
  expect(reply.status).toBe(422);
  expect(reply.message).toMatch(message);
});

test('are told by their ids what is not there any more', async () => {
  const id = hub.hub.ids('webhook');
  for (const [name, more] of [['remove'], ['newSecret'], ['test'], ['change', webhook]] as [string, object?][])
    expect((await call(owner.cookie, 'mutation', `webhooks.${name}`, { id, ...more })).status, name).toBe(404);
});
