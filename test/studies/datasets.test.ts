import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HostDatasets, mergeDatasets } from '../../server/hosts/datasets.ts';
import { describeHostStates, detachHost } from '../../server/hosts/host-rows.ts';
import { listHosts } from '../../server/hosts/view.ts';
import { addHost, type Core, createCore, makeDataset } from '../support/core.ts';

const host = (hostName: string, datasets: HostDatasets['datasets'], online = true) => ({ hostName, online, datasets });
const broken = makeDataset({ problems: ['train/ is missing.'] });
const other = makeDataset({ classNames: ['a', 'b'] });

describe('datasets of all hosts', () => {
  test('the same on several hosts is one, and names the hosts that can use it', () => {
    expect(mergeDatasets([host('x', [makeDataset()]), host('y', [broken]), host('z', [makeDataset()])])).toEqual([
      expect.objectContaining({ name: 'digits', hostNames: ['x', 'z'], problems: [], trainCount: 100, valCount: 20 }),
    ]);
  });

  test('usable nowhere: the problems, each with its host', () => {
    const [option] = mergeDatasets([host('x', [broken])]);
    expect(option).toMatchObject({ hostNames: ['x'], problems: ['x: train/ is missing.'] });
  });

  test('other classes under the same name are a problem, unless only a host that is away has them', () => {
    const [option] = mergeDatasets([host('x', [makeDataset()]), host('y', [other])]);
    expect(option?.problems).toEqual([expect.stringMatching(/x and y have different classes under the name "digits"/)]);
    const [fine] = mergeDatasets([host('x', [makeDataset()]), host('y', [other], false)]);
    expect(fine).toMatchObject({ problems: [], hostNames: ['x'] });
  });

  test('validation only where no host, even one that is away, has training images', () => {
    const half = makeDataset({ trainCount: 0, valCount: 20 });
    expect(mergeDatasets([host('x', [half])])[0]).toMatchObject({ trainCount: 0, hostNames: ['x'], problems: [] });
    expect(mergeDatasets([host('x', [half]), host('y', [makeDataset()], false)])[0]).toMatchObject({
      trainCount: 100,
      hostNames: ['y'],
    });
  });

  test('a dataset of a host that is away is still one: runs may wait for it', () => {
    expect(mergeDatasets([host('y', [other], false)])[0]).toMatchObject({ classNames: ['a', 'b'], problems: [] });
  });
});

describe('hosts', () => {
  let core: Core;
  beforeAll(async () => {
    core = await createCore();
  });
  afterAll(() => core.close());
  beforeEach(() => core.reset());

  test('are online, unreachable after a silence, detached after a goodbye, by the database’s clock', async () => {
    const { hub } = core;
    const [here, silent, gone] = [
      await addHost(hub, { name: 'here' }),
      await addHost(hub, { name: 'a-silent' }),
      await addHost(hub, { name: 'b-gone' }),
    ];
    const before = await describeHostStates(hub.pool);
    await hub.pool.query("UPDATE hosts SET last_seen_at = now() - interval '31 seconds' WHERE id = $1", [silent]);
    await detachHost(hub, gone);
    expect((await listHosts(hub.pool)).map((h) => [h.id, h.state])).toEqual([
      [here, 'online'],
      [silent, 'unreachable'],
      [gone, 'detached'],
    ]);
    expect(await describeHostStates(hub.pool)).not.toBe(before);
  });

  test('show what their agents said, stray NULs aside', async () => {
    const { hub } = core;
    await addHost(hub, { name: 'odd\0name', cpuModel: 'x\0' });
    const [view] = await listHosts(hub.pool);
    expect(view).toMatchObject({
      name: 'odd\ufffdname',
      cpuModel: 'x\ufffd',
      slots: 2,
      agentVersion: '1.0.0',
      runs: [],
    });
    expect(view?.datasets).toEqual([makeDataset()]);
  });
});
