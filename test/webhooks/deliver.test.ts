import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { WEBHOOK_RETRY_MS } from '@mealtable/protocol/tunables';
import type { NewWebhook, WebhookPayload } from '@mealtable/protocol/webhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noteEvent } from '../../server/events/note-event.ts';
import { pruneEvents } from '../../server/events/prune-events.ts';
import { transact } from '../../server/runs/transaction.ts';
import { type DeliverOptions, startDelivering } from '../../server/webhooks/deliver.ts';
import { claimDeliveries, settleDelivery } from '../../server/webhooks/delivery-rows.ts';
import {
  changeWebhook,
  createWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  removeWebhook,
  renewSecret,
  testWebhook,
} from '../../server/webhooks/webhook-rows.ts';
import { addHost, addStudy, type Core, claimOne, createCore, succeed, until } from '../support/core.ts';
import { answerWith, type Receiver, startReceiver } from './receiver.ts';

let core: Core;
let receiver: Receiver;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());
beforeEach(async () => {
  await core.reset();
  await core.hub.pool.query(
    `INSERT INTO users (id, name, email, updated_at) VALUES ('u', 'Ada', 'ada@example.org', now())`,
  );
  receiver = await startReceiver();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await receiver.close();
});

/** Slow enough that only the tests' own nudges count. */
function deliver(options: DeliverOptions = {}, now = () => new Date()) {
  const hub = { ...core.hub, now, baseUrl: () => 'https://meal.example.org/' };
  const stop = startDelivering(hub, { pollMs: 600_000, timeoutMs: 2_000, ...options });
  stops.push(stop);
  return stop;
}
const addWebhook = (more: Partial<NewWebhook> = {}) =>
  createWebhook(
    core.hub,
    { label: 'chat', url: receiver.url, kinds: ['host-detached'], allowsPrivate: true, enabled: true, ...more },
    'u',
  );
const note = (host = 'alpha') => transact(core.hub, (tx) => noteEvent(tx, { kind: 'host-detached', host }));
/** As if the wait until the next try were over. */
async function letTimePass() {
  await core.hub.pool.query('UPDATE webhook_deliveries SET next_try_at = now()');
  core.hub.bus.emit('webhooks:due');
}
const deliveriesOf = (id: string) => listDeliveries(core.hub.pool, id);
const arrived = (count: number) => until(() => expect(receiver.received).toHaveLength(count));
/** Every answer says which it is, so that a try can be seen to be over and not only begun. */
const refuse = (res: ServerResponse, nth: number) => answerWith(500, `no ${nth}.`)(res);
const refused = (id: string, tries: number) =>
  until(async () =>
    expect((await deliveriesOf(id))[0]).toMatchObject({ tries, lastError: `It answered 500: no ${tries}.` }),
  );
const settled = (id: string, status: 'delivered' | 'failed', tries: number) =>
  until(async () => expect((await deliveriesOf(id))[0]).toMatchObject({ status, tries }));

describe('a webhook', () => {
  test('tells the kinds that it was made for, in order, signed by Standard Webhooks', async () => {
    const { id, secret } = await addWebhook({ kinds: ['run-succeeded', 'study-finished'] });
    const now = new Date('2026-05-04T03:02:01.900Z');
    deliver({}, () => now);
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    for (let i = 0; i < 2; i++) await succeed(core.hub, await claimOne(core.hub, hostId), 90);
    await arrived(3);
    const payloads = receiver.received.map(({ body }) => JSON.parse(body) as WebhookPayload);
    expect(payloads.map((p) => p.type)).toEqual(['run-succeeded', 'run-succeeded', 'study-finished']);
    expect(payloads[2]).toEqual({
      type: 'study-finished',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      text: expect.stringMatching(
        /^study: All 2 runs have ended: 2 succeeded\. .*\nhttps:\/\/meal\.example\.org\/studies\/stu_/,
      ),
      data: {
        eventId: expect.any(Number),
        study: { id: studyId, name: 'study', url: `https://meal.example.org/studies/${studyId}` },
        run: null,
        host: null,
        detail: { succeeded: 2, failed: 0, cancelled: 0, bestTop1: 90, bestLabel: expect.any(String) },
      },
    });
    for (const { headers, body } of receiver.received) {
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      expect(key).toHaveLength(32);
      const signed = `${headers['webhook-id']}.1777863721.${body}`;
      expect(headers['webhook-timestamp']).toBe('1777863721');
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
      expect(headers['webhook-id']).toBe(`evt_${JSON.parse(body).data.eventId}`);
    }
    await settled(id, 'delivered', 1);
  });

  test('is not told what happened while it was off, and of nothing after it was removed', async () => {
    const { id } = await addWebhook({ enabled: false });
    deliver();
    await note('unheard');
    const [view] = await listWebhooks(core.hub.pool);
    await changeWebhook(core.hub, { ...view!, kinds: view!.kinds as ['host-detached'], enabled: true, id });
    await note('heard');
    await arrived(1);
    expect(receiver.received[0]!.body).toContain('heard');
    await settled(id, 'delivered', 1);
    await removeWebhook(core.hub, id);
    await note('nobody');
    expect((await core.hub.pool.query('SELECT 1 FROM webhook_deliveries')).rowCount).toBe(0);
  });

  test('signs with its new secret as soon as it has one', async () => {
    const { id, secret } = await addWebhook();
    const { secret: renewed } = await renewSecret(core.hub, id);
    expect(renewed).not.toBe(secret);
    deliver();
    await note();
    await arrived(1);
    const { headers, body } = receiver.received[0]!;
    const key = Buffer.from(renewed.slice(6), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  });

  test('can be tested while it is on: the test is an event of its own, for it alone', async () => {
    const { id } = await addWebhook();
    const { id: other } = await addWebhook({ label: 'other' });
    deliver();
    const { eventId } = await testWebhook(core.hub, id);
    await arrived(1);
    expect(JSON.parse(receiver.received[0]!.body)).toMatchObject({ type: 'test', data: { eventId, study: null } });
    expect(await deliveriesOf(other)).toEqual([]);
    const [view] = await listWebhooks(core.hub.pool);
    await changeWebhook(core.hub, { ...view!, kinds: view!.kinds as ['host-detached'], enabled: false });
    await expect(testWebhook(core.hub, id)).rejects.toThrow('This webhook is switched off.');
  });

  test('shows neither its secret nor more than counts and the last result', async () => {
    const { id, secret } = await addWebhook();
    receiver.answer = refuse;
    deliver();
    await note();
    await refused(id, 1);
    const list = await listWebhooks(core.hub.pool);
    expect(JSON.stringify(list)).not.toContain(secret.slice(6, 20));
    expect(list[0]).toMatchObject({
      label: 'chat',
      createdBy: 'Ada',
      counts: { pending: 1, delivered: 0, failed: 0 },
      last: { status: 'pending', lastStatus: 500, lastError: 'It answered 500: no 1.' },
    });
  });
});

describe('a delivery', () => {
  test('is tried again under the same id until it is taken', async () => {
    const { id } = await addWebhook();
    receiver.answer = (res, nth) => (nth < 3 ? refuse(res, nth) : answerWith(200)(res));
    deliver();
    await note();
    for (const tries of [1, 2]) {
      await refused(id, tries);
      const nextTryAt = (await deliveriesOf(id))[0]!.nextTryAt!;
      const waitMs = WEBHOOK_RETRY_MS[tries - 1]!;
      expect(nextTryAt - Date.now()).toBeGreaterThan(waitMs * 0.5);
      expect(nextTryAt - Date.now()).toBeLessThan(waitMs * 1.5);
      await letTimePass();
    }
    await settled(id, 'delivered', 3);
    expect((await deliveriesOf(id))[0]).toMatchObject({ lastStatus: 200, lastError: null, nextTryAt: null });
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('fails after its last try, and gets one more when somebody asks', async () => {
    const { id } = await addWebhook();
    receiver.answer = refuse;
    deliver();
    const { id: eventId } = await note();
    for (let tries = 1; tries <= WEBHOOK_RETRY_MS.length; tries++) {
      await refused(id, tries);
      await letTimePass();
    }
    await settled(id, 'failed', WEBHOOK_RETRY_MS.length + 1);
    await redeliver(core.hub, id, eventId);
    await settled(id, 'failed', WEBHOOK_RETRY_MS.length + 2);
    receiver.answer = answerWith(200);
    await redeliver(core.hub, id, eventId);
    await settled(id, 'delivered', WEBHOOK_RETRY_MS.length + 3);
    await expect(redeliver(core.hub, id, eventId + 1)).rejects.toThrow('This delivery is not kept any more.');
  });

  test('to an address that is not allowed fails at once, with the reason', async () => {
    const { id } = await addWebhook({ allowsPrivate: false });
    deliver();
    await note();
    await settled(id, 'failed', 1);
    expect((await deliveriesOf(id))[0]!.lastError).toMatch(/Allow private addresses for this webhook/);
    expect(receiver.received).toEqual([]);
  });

  test('that a hub took and did not live to settle is made again by the next one', async () => {
    const { id } = await addWebhook();
    await note();
    expect(await claimDeliveries(core.hub.pool, [])).toHaveLength(1);
    await deliver()();
    expect(receiver.received).toEqual([]);
    await core.hub.pool.query("UPDATE webhook_deliveries SET next_try_at = next_try_at - interval '60 seconds'");
    deliver();
    await settled(id, 'delivered', 2);
    expect(receiver.received).toHaveLength(1);
  });

  test('is waited for when the hub stops in the middle of it', async () => {
    const { id } = await addWebhook();
    receiver.answer = (res) => void setTimeout(() => answerWith(200)(res), 100);
    const stop = deliver();
    await note();
    await arrived(1);
    await stop();
    expect((await deliveriesOf(id))[0]).toMatchObject({ status: 'delivered' });
  });

  test('to a receiver that does not answer is cut off when the hub stops, and stays to be made', async () => {
    const { id } = await addWebhook();
    receiver.answer = () => {};
    const stop = deliver({ timeoutMs: 60_000, endGraceMs: 50 });
    await note();
    await arrived(1);
    await stop();
    expect((await deliveriesOf(id))[0]).toMatchObject({
      status: 'pending',
      lastError: 'The hub ended before an answer came.',
    });
  });

  test('whose claim ran out changes nothing any more', async () => {
    await addWebhook();
    await note();
    const [late] = await claimDeliveries(core.hub.pool, []);
    await core.hub.pool.query('UPDATE webhook_deliveries SET next_try_at = now()');
    const [fresh] = await claimDeliveries(core.hub.pool, []);
    const refused = { ok: false, status: 500, error: 'late', final: true } as const;
    expect(await settleDelivery(core.hub.pool, late!, refused)).toBe(false);
    expect(await settleDelivery(core.hub.pool, fresh!, { ok: true, status: 200 })).toBe(true);
  });

  test('is made once, however many hubs look for it', async () => {
    const { id } = await addWebhook();
    for (let i = 0; i < 10; i++) await note(`host ${i}`);
    deliver();
    deliver();
    deliver();
    await until(async () => expect((await deliveriesOf(id)).every((d) => d.status === 'delivered')).toBe(true));
    expect(receiver.received.map(({ body }) => JSON.parse(body).data.detail.host).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `host ${i}`),
    );
  });

  test('to a receiver that does not answer keeps no other webhook waiting', async () => {
    const slow = await startReceiver();
    try {
      slow.answer = () => {};
      await addWebhook({ url: slow.url });
      await addWebhook();
      deliver();
      for (let i = 0; i < 3; i++) await note(`host ${i}`);
      await arrived(3);
      expect(slow.received).toHaveLength(1);
    } finally {
      await slow.close();
    }
  });

  test('that has ended is forgotten after a time, one that waits is not', async () => {
    const { id } = await addWebhook();
    receiver.answer = (res, nth) => (nth === 1 ? answerWith(200) : refuse)(res, nth);
    deliver();
    await addHost(core.hub);
    const studyId = await addStudy(core.hub);
    const noteOfStudy = () =>
      transact(core.hub, (tx) => noteEvent(tx, { kind: 'host-detached', host: 'alpha', studyId }));
    await noteOfStudy();
    await settled(id, 'delivered', 1);
    await noteOfStudy();
    await until(async () => expect((await deliveriesOf(id))[0]!.lastStatus).toBe(500));
    await core.hub.pool.query("UPDATE events SET at = now() - interval '31 days'");
    await pruneEvents(core.hub.pool);
    expect((await deliveriesOf(id)).map((d) => d.status)).toEqual(['pending']);
  });
});
