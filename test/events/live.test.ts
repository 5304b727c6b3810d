/** Events reach the pages that watch, once each. */
import type { EventPage, EventView } from '@mealtable/protocol/events';
import {
  type BrowserToHub,
  type HubToBrowser,
  LIVE_NAMESPACE,
  type WatchTopic,
} from '@mealtable/protocol/live-messages';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelStudy } from '../../server/studies/manage.ts';
import { addHost, addStudy, until } from '../support/core.ts';
import { emptyTables } from '../support/empty-tables.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';
import { rawRequest } from '../support/raw-request.ts';
import { closeSockets, connectSocket } from '../support/scripted-agent.ts';

let hub: TestHub;
let cookie: string;
beforeAll(async () => {
  hub = await startTestHub();
  ({ cookie } = await hub.addMember('viewer'));
});
afterAll(async () => {
  closeSockets();
  await hub.close();
});

async function openPage(...topics: WatchTopic[]) {
  const socket = await connectSocket<Socket<HubToBrowser, BrowserToHub>>(`${hub.url}${LIVE_NAMESPACE}`, {}, { cookie });
  const seen: EventView[] = [];
  socket.on('event:noted', (event) => seen.push(event));
  for (const topic of topics) expect(await socket.emitWithAck('watch', topic)).toEqual({ ok: true });
  return seen;
}

test('the study page asks for its activity page by page', async () => {
  await addHost(hub.hub);
  const id = await addStudy(hub.hub);
  await cancelStudy(hub.hub, id);
  const ask = async (cursor?: number) => {
    // With the direction, as the page's library sends it.
    const input = encodeURIComponent(JSON.stringify({ json: { id, limit: 2, direction: 'forward', cursor } }));
    const reply = await rawRequest(hub.url, `/api/trpc/events.ofStudy?input=${input}`, { headers: { Cookie: cookie } });
    return JSON.parse(reply.body).result.data.json as EventPage;
  };
  const newest = await ask();
  expect(newest.events.map(({ kind }) => kind)).toEqual(['study-finished', 'runs-cancelled']);
  expect(newest.hasOlder).toBe(true);
  const older = await ask(newest.events[1]!.id);
  expect(older.events.map(({ kind }) => kind)).toEqual(['study-created']);
  expect(older.hasOlder).toBe(false);
  await emptyTables(hub.hub.pool, ['studies', 'hosts', 'events']);
});

test('pages of lists get every event, a study’s page its own, and who watches both gets it once', async () => {
  const list = await openPage({ kind: 'all' });
  await addHost(hub.hub, { name: 'alpha' });
  const studyId = await addStudy(hub.hub, undefined, 'first');
  const page = await openPage({ kind: 'study', studyId });
  const both = await openPage({ kind: 'study', studyId }, { kind: 'all' });
  await cancelStudy(hub.hub, studyId);
  await addStudy(hub.hub, undefined, 'second');
  const kinds = (seen: EventView[]) => seen.map(({ kind, studyName }) => [kind, studyName]);
  const [created, cancelled, finished] = ['study-created', 'runs-cancelled', 'study-finished'];
  const rest = [
    [cancelled, 'first'],
    [finished, 'first'],
  ];
  await until(() =>
    expect(kinds(list)).toEqual([['host-attached', null], [created, 'first'], ...rest, [created, 'second']]),
  );
  await until(() => expect(kinds(both)).toEqual([...rest, [created, 'second']]));
  expect(kinds(page)).toEqual(rest);
});
