/** Events reach the pages that watch, once each. */
import type { EventView } from '@mealtable/protocol/events';
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
import { startTestHub, type TestHub } from '../support/hub.ts';
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
