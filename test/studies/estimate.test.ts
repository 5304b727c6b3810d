/** What a design would take, from what hosts have measured and keep. */
import type { LabelSetReport } from '@mealtable/protocol/agent-messages';
import { networkCost } from '@mealtable/protocol/network-cost';
import type { Work } from '@mealtable/protocol/study-cost';
import type { StudyDesignInput } from '@mealtable/protocol/study-design';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { detachHost } from '../../server/hosts/host-rows.ts';
import { estimateStudy } from '../../server/studies/estimate.ts';
import { chooseSpeed, type Sharing, timeStudy } from '../../server/studies/estimate-hours.ts';
import type { Speed } from '../../server/studies/estimate-speed.ts';
import {
  addHost,
  addStudy,
  type Core,
  claimOne,
  createCore,
  ended,
  makeCheckpoint,
  makeDataset,
  makeDesign,
  metrics,
  ScriptedAttempt,
  smallDesign,
  started,
  succeed,
  uploadCheckpoint,
} from '../support/core.ts';

const STUDENT = networkCost('resnet18_w8', 24, 10).macs;
const TEACHER = networkCost('resnet18_w16', 24, 10).macs;

describe('speeds', () => {
  const speed = (macsPerS: number, part: Partial<Speed> = {}): Speed => ({
    runId: 'run_1',
    kind: 'training',
    network: 'resnet18',
    inputSize: 224,
    precision: 'float32',
    macsPerS,
    ...part,
  });
  const work: Omit<Work, 'macs'> = { kind: 'training', network: 'resnet18', inputSize: 224 };
  const choose = (speeds: Speed[], precision: Speed['precision'] = 'float32') => chooseSpeed(speeds, work, precision);

  test('are the median of the runs most like the work', () => {
    const others = [
      speed(1, { network: 'resnet50' }),
      speed(2, { inputSize: 380 }),
      speed(3, { precision: 'bfloat16' }),
    ];
    expect(choose([...others, speed(10), speed(30), speed(20), speed(99, { kind: 'mixed' })])).toEqual({
      macsPerS: 20,
      likeness: 'same',
      isOtherPrecision: false,
    });
    expect(choose(others)).toMatchObject({ macsPerS: 2, likeness: 'other-size' });
    expect(choose([others[0]!])).toMatchObject({ macsPerS: 1, likeness: 'other-network' });
    expect(choose(others, 'float16')).toMatchObject({ macsPerS: 3, isOtherPrecision: true });
  });

  test('of several hosts add up, and a host that would still be labelling at the end takes no part', () => {
    const run = (macs: number, teaching: number) => ({
      variantKey: 'v',
      role: 'student' as const,
      runs: 100,
      own: [{ ...work, macs }],
      teaching: [{ ...work, kind: 'teaching' as const, macs: teaching }],
      sets: ['s'],
    });
    const set = { key: 's', teachers: [], temperature: 1, inputSize: 224, logits: false, views: 1, labels: 10 };
    const cost = {
      runs: [run(1000, 1000)],
      sets: [{ ...set, teaching: [{ ...work, kind: 'teaching' as const, macs: 40_000 }] }],
      training: { teacher: 0, baseline: 0, student: 0 },
      validation: 0,
      teachers: { online: 0, shared: 0 },
    };
    const host = (macsPerS: number, slots: number, labelled = 0) => ({
      slots,
      speeds: [speed(macsPerS)],
      precision: 'float32' as const,
      labelled: new Map([['s', labelled]]),
    });
    // 200,000 MACs: 200 s of a slot, on two slots.
    const time = (hosts: ReturnType<typeof host>[], sharing: Sharing, of = cost) => {
      const { wallMs, slotMs } = timeStudy(of, hosts, sharing);
      return [Math.round(wallMs), Math.round(slotMs)];
    };
    expect(time([host(1000, 2)], 'none')).toEqual([100_000, 200_000]);
    expect(time([host(1000, 2), host(3000, 1)], 'none')).toEqual([40_000, 120_000]);
    // 40,000 of the labels and 100,000 of the students; half of the labels are there.
    expect(time([host(1000, 2)], 'host')).toEqual([70_000, 140_000]);
    expect(time([host(1000, 2, 0.5)], 'host')).toEqual([60_000, 120_000]);
    // Each of two hosts labels for itself, unless labels are computed once for all: by one slot, for which the students wait.
    expect(time([host(1000, 2), host(1000, 2)], 'host')).toEqual([45_000, 180_000]);
    expect(time([host(1000, 2), host(1000, 2)], 'once')).toEqual([41_000, 140_000]);
    expect(time([host(1000, 2), host(100, 1)], 'host')).toEqual([70_000, 140_000]);
    // A run is not divided: 100 slots are no faster than the longest.
    const one = { ...cost, runs: [{ ...run(9000, 0), runs: 1 }] };
    expect(time([host(1000, 100)], 'none', one)).toEqual([9000, 9000]);
  });
});

describe('a study', () => {
  let core: Core;
  beforeAll(async () => {
    core = await createCore();
  });
  afterAll(() => core.close());
  beforeEach(() => core.reset());

  const estimate = (more: Partial<StudyDesignInput> = {}, extendedId: string | null = null) =>
    estimateStudy(core.hub.pool, makeDesign(more), extendedId);
  const point = (step: number, imagesPerS: number, more: Record<string, number> = {}) =>
    metrics(step, { 'train/images_per_s': imagesPerS, ...more });

  /** Trains the teacher of a small study, with these points. */
  async function measureTeacher(hostId: string, points: ReturnType<typeof point>[], design = smallDesign()) {
    await addStudy(core.hub, design);
    const grant = await claimOne(core.hub, hostId);
    const checkpoint = makeCheckpoint(core.hub, 30, 90);
    const trainer = new ScriptedAttempt(core.hub, grant);
    await trainer.send(started(), ...points, checkpoint.record);
    await uploadCheckpoint(core.hub, checkpoint);
    await trainer.send(ended());
  }

  test('has no hours while nothing was measured, and names the hosts that have its dataset', async () => {
    await addHost(core.hub, { name: 'b', slots: 4 });
    await addHost(core.hub, { name: 'a', datasets: [makeDataset({ name: 'other' })] });
    await detachHost(core.hub, await addHost(core.hub, { name: 'gone' }));
    expect(await estimate()).toMatchObject({
      hosts: [{ name: 'b', slots: 4, measuredRuns: 0, labelled: 0 }],
      online: null,
      shared: null,
      likeness: null,
    });
  });

  test('takes what its multiply-accumulates take at the median speed of runs that were measured', async () => {
    const hostId = await addHost(core.hub, { slots: 2 });
    // The teacher, trained alone at the median of 90, 100 and 1 images a second.
    await measureTeacher(hostId, [point(1, 1), point(2, 100), point(3, 90)]);
    const { hosts, online, shared, likeness } = await estimate({ planned: [], factors: trainedBy(await teacherRun()) });
    expect(hosts).toMatchObject([{ measuredRuns: 1 }]);
    expect(likeness).toBe('other-network');
    const speed = 90 * 3 * TEACHER;
    // Two seeds of the baseline and of one student; three epochs of 96 images and 20 validated.
    const trained = 4 * 3 * (3 * 96 + 20) * STUDENT;
    expect(online?.slotMs).toBeCloseTo((1000 * (trained + 2 * 3 * 96 * TEACHER)) / speed, 3);
    expect(shared?.slotMs).toBeCloseTo((1000 * (trained + 300 * TEACHER)) / speed, 3);
    expect(online!.wallMs).toBeCloseTo(online!.slotMs / 2, 3);
  });

  test('tells student and teachers apart where labels came from a cache', async () => {
    const hostId = await addHost(core.hub);
    const design = {
      ...smallDesign(),
      softLabels: { mode: 'cached' as const, viewsPerImage: 3, augmentationSeed: 0, keep: 'full' as const },
    };
    // 16 images a batch: 320 ms, of which teachers took 240 for all labels; later none were missing.
    const hit = (rate: number, ms: number) => ({ 'labels/hit_rate': rate, 'train/teacher_ms': ms });
    await measureTeacher(hostId, [], design);
    const student = new ScriptedAttempt(core.hub, await claimOne(core.hub, hostId));
    await student.send(started(), point(1, 50, hit(0, 240)), point(2, 200, hit(100, 0)), point(3, 200, hit(100, 0)));
    const { online, likeness } = await estimate({
      baseline: false,
      planned: [],
      factors: trainedBy(await teacherRun()),
    });
    expect(likeness).toBe('same');
    const training = (3 * STUDENT * 16) / 0.08;
    const teaching = (TEACHER * 16) / 0.24;
    // A student's validation is taken at the speed of its training: nothing else of its network was measured.
    const ms = (2 * 3 * (3 * 96 + 20) * STUDENT * 1000) / training + (2 * 3 * 96 * TEACHER * 1000) / teaching;
    expect(online?.slotMs).toBeCloseTo(ms, 3);
  });

  test('of which labels are there already takes less', async () => {
    await addHost(core.hub, { name: 'none' });
    const hostId = await addHost(core.hub, { name: 'half' });
    await measureTeacher(hostId, [point(1, 100)]);
    const runId = await teacherRun();
    const softLabels = { mode: 'cached', viewsPerImage: 2, augmentationSeed: 5 } as const;
    const ask = () => estimate({ planned: [], factors: trainedBy(runId), softLabels });
    const before = await ask();
    const set = labelSet({ teachers: [{ ids: ['resnet50.ram_in1k', runId], share: 1 }], augmentationSeed: 5 });
    const report = async (labelSets: LabelSetReport[]) => {
      await core.hub.pool.query(
        `UPDATE hosts SET report = report || jsonb_build_object('labelSets', $2::jsonb) WHERE id = $1`,
        [hostId, JSON.stringify(labelSets)],
      );
      return (await ask()).hosts.map(({ name, labelled }) => [name, labelled]);
    };
    // 150 of 200: of the third view nothing is needed.
    expect(await report([set])).toEqual([
      ['half', 0.75],
      ['none', 0],
    ]);
    expect((await ask()).shared!.slotMs).toBeLessThan(before.shared!.slotMs);
    expect((await ask()).online).toEqual(before.online);
    const others: Partial<LabelSetReport>[] = [
      { fingerprint: 'g' },
      { imageCount: 99 },
      { temperature: 2 },
      { inputSize: 32 },
      { augmentationSeed: 0 },
      { precision: 'bfloat16' },
      { keep: 5 },
      { logits: false },
      { teachers: [{ ids: ['run_0000000000000000000009'], share: 1 }] },
      { teachers: [] },
    ];
    for (const other of others) expect(await report([{ ...set, ...other }])).toContainEqual(['half', 0]);
  });

  test('that extends another takes what is new', async () => {
    const hostId = await addHost(core.hub);
    const studyId = await addStudy(core.hub, makeDesign());
    await succeed(core.hub, await claimOne(core.hub, hostId));
    const grant = await claimOne(core.hub, hostId);
    await new ScriptedAttempt(core.hub, grant).send(started(), point(1, 100));
    const whole = await estimate({ seeds: [1, 2, 3] });
    const added = await estimate({ seeds: [1, 2, 3] }, studyId);
    expect(added.online!.slotMs).toBeLessThan(whole.online!.slotMs / 2.9);
    expect((await estimate({}, studyId)).online).toEqual({ wallMs: 0, slotMs: 0 });
  });

  test('that cannot be is refused with its problems', async () => {
    await addHost(core.hub);
    await expect(estimate({ seeds: [1, 1] })).rejects.toMatchObject({ code: 'invalid' });
  });

  async function teacherRun(): Promise<string> {
    const { rows } = await core.hub.pool.query<{ id: string }>("SELECT id FROM runs WHERE role = 'teacher'");
    return rows[0]!.id;
  }
  const trainedBy = (runId: string) => ({
    ...makeDesign().factors,
    teachers: [[{ kind: 'run' as const, runId }]],
    discriminator: [true],
  });
});

const labelSet = (more: Partial<LabelSetReport>): LabelSetReport => ({
  key: 'a'.repeat(64),
  fingerprint: 'f',
  imageCount: 100,
  teachers: [{ ids: ['a'], share: 1 }],
  temperature: 1,
  inputSize: 24,
  augmentationSeed: 0,
  precision: 'float32',
  classCount: 10,
  keep: 'full',
  logits: true,
  labelled: [100, 50, 100],
  ...more,
});
