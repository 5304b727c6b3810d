import { AgentHello, AttemptRef, blobPath, Grant, RecordBatch } from '@mealtable/protocol/agent-messages';
import { DEMO_NAMES, DEMOS } from '@mealtable/protocol/demo-study';
import { expandDesign } from '@mealtable/protocol/expand-design';
import { HostId, ID_PREFIXES, type IdKind, makeId, RunId } from '@mealtable/protocol/ids';
import { WatchTopic } from '@mealtable/protocol/live-messages';
import { NETWORK_NAMES } from '@mealtable/protocol/networks';
import { AttemptRecord } from '@mealtable/protocol/records';
import { TrainingConfig } from '@mealtable/protocol/run-config';
import { StudyDesign, StudyName } from '@mealtable/protocol/study-design';
import { agentTunables, MAX_BATCH_RECORDS, MAX_SOCKET_BYTES } from '@mealtable/protocol/tunables';
import { fromWireNumber, toWireNumber, WireNumber } from '@mealtable/protocol/wire-number';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { makeGrant } from '../agent/support/make-grant.ts';
import { makeDesign, makeReport } from '../support/core.ts';

const faultOf = (schema: z.ZodType, value: unknown) => {
  const parsed = schema.safeParse(value);
  return parsed.success
    ? null
    : { path: parsed.error.issues[0]?.path.join('.'), message: parsed.error.issues[0]?.message };
};
const bytes = (fill: number) => new Uint8Array(12).fill(fill);

describe('ids', () => {
  test('sort by their time of making, whatever the random part', () => {
    const times = [0, 1, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 4_000_000_000_000];
    const ids = times.map((time, i) => makeId('run', time, bytes(255 - i)));
    expect([...ids].sort()).toEqual(ids);
  });

  test('of every kind are accepted by their own schema and no other', () => {
    const kinds = Object.keys(ID_PREFIXES) as IdKind[];
    for (const kind of kinds) expect(RunId.safeParse(makeId(kind, 1, bytes(7))).success).toBe(kind === 'run');
    expect(faultOf(HostId, 'run_x')?.message).toBe('Not a host id (hst_…).');
  });

  test.each(['', '../x', `${makeId('run', 1, bytes(1))}\n`, `${makeId('run', 1, bytes(1))}/..`])('%j is none', (id) => {
    expect(RunId.safeParse(id).success).toBe(false);
  });

  test('only a hash becomes the path of a blob', () => {
    expect(blobPath('a'.repeat(64))).toBe(`/api/agent/blobs/${'a'.repeat(64)}`);
    expect(() => blobPath('../x')).toThrow();
  });
});

describe('P12: numbers on the wire', () => {
  test.each([0, 1.5, -1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    '%d survives JSON',
    (x) => {
      const wire = WireNumber.parse(JSON.parse(JSON.stringify(toWireNumber(x))));
      expect(fromWireNumber(wire)).toBe(x);
    },
  );

  test('words and bare infinities are refused', () => {
    for (const value of ['nan', '1', null, Number.NaN, Number.POSITIVE_INFINITY])
      expect(WireNumber.safeParse(value).success).toBe(false);
  });
});

describe('records', () => {
  const metrics = { seq: 1, at: 1, kind: 'metrics', step: 1, epoch: 0.5, values: { 'train/loss': 'NaN' } };

  test('what a trainer writes comes back as it is', () => {
    expect(AttemptRecord.parse(JSON.parse(JSON.stringify(metrics)))).toEqual(metrics);
  });

  test.each<[string, object, string]>([
    ['seq', { seq: 0 }, 'seq'],
    ['a seq beyond the database', { seq: 2 ** 31 }, 'seq'],
    ['a time that no Date holds', { at: 8.65e15 }, 'at'],
    ['a negative step', { step: -1 }, 'step'],
    ['half a step', { step: 1.5 }, 'step'],
    ['a field that nobody knows', { extra: 1 }, ''],
    ['a metric without a section', { values: { loss: 1 } }, 'values.loss'],
    ['a very long metric', { values: { [`a/${'b'.repeat(100)}`]: 1 } }, `values.a/${'b'.repeat(100)}`],
  ])('%s is refused with its path', (_what, more, path) => {
    expect(faultOf(AttemptRecord, { ...metrics, ...more })?.path).toBe(path);
  });

  test('long hostile metric names are refused, and not searched for ever', () => {
    const hostile = { ...metrics, values: { [`a${'/a'.repeat(100_000)}!`]: 1 } };
    expect(AttemptRecord.safeParse(hostile).success).toBe(false);
  });
});

describe('configs and designs', () => {
  const config = {
    version: 1,
    task: 'distillation',
    dataset: 'digits',
    network: 'resnet18',
    initialisation: { kind: 'random' },
    inputSize: 224,
    epochs: 1,
    batchSize: 32,
    seed: 0,
    optimizer: { learningRate: 0.1 },
    teachers: [{ kind: 'run', runId: makeId('run', 1, bytes(1)) }],
    discriminator: true,
  };

  test('a config that was parsed parses to itself, defaults included', () => {
    const parsed = TrainingConfig.parse(config);
    expect(parsed.optimizer).toEqual({
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 0,
      schedule: { kind: 'constant' },
    });
    expect(parsed.precision).toBe('float32');
    expect(TrainingConfig.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  });

  test.each<[string, object, string, RegExp]>([
    ['an unknown network', { network: 'vgg16' }, 'network', /Unknown network "vgg16". Choose one of resnet18_w8/],
    ['the same teacher twice', { teachers: [config.teachers[0], config.teachers[0]] }, 'teachers', /listed twice/],
    ['no teacher', { teachers: [] }, 'teachers', /at least one teacher/],
    ['a batch of one', { batchSize: 1 }, 'batchSize', /at least 2/],
    ['no epochs', { epochs: 0 }, 'epochs', /at least 1 epoch/],
    ['half an epoch', { epochs: 0.5 }, 'epochs', /whole number/],
    ['a tiny input', { inputSize: 8 }, 'inputSize', /at least 16/],
    ['a huge input', { inputSize: 5000 }, 'inputSize', /at most 1024/],
    ['a learning rate of 0', { optimizer: { learningRate: 0 } }, 'optimizer.learningRate', /above 0/],
    ['a learning rate of 1000', { optimizer: { learningRate: 1000 } }, 'optimizer.learningRate', /10 or less/],
    ['a precision that nobody has', { precision: 'float8' }, 'precision', /float32.*bfloat16.*float16/],
    ['a negative seed', { seed: -1 }, 'seed', /0 or more/],
    ['a dataset that is a path', { dataset: '../etc' }, 'dataset', /dataset name/],
    ['a field that nobody knows', { warmth: 4 }, '', /warmth/],
    ['an ensemble that nobody has', { ensemble: 'median' }, 'ensemble', /mean-probability.*mean-logit.*random-teacher/],
    [
      'a teacher without weight',
      { teachers: [{ ...config.teachers[0], weight: 0 }] },
      'teachers.0.weight',
      /leave the/,
    ],
    ['a temperature of 0', { temperature: 0 }, 'temperature', /above 0/],
    ['a temperature of 1000', { temperature: 1000 }, 'temperature', /100 or less/],
    ['more than hard labels', { hardLabelWeight: 1.1 }, 'hardLabelWeight', /at most 1/],
    ['labels smoothed away', { hardLabelWeight: 1, labelSmoothing: 1 }, 'labelSmoothing', /below 1/],
    ['smoothing of labels without weight', { labelSmoothing: 0.1 }, 'labelSmoothing', /give them one above 0/],
    [
      'a discriminator that stands still',
      { discriminatorOptions: { learningRateFactor: 0 } },
      'discriminatorOptions.learningRateFactor',
      /above 0/,
    ],
    [
      'options of no discriminator',
      { discriminator: false, discriminatorOptions: {} },
      'discriminatorOptions',
      /switch it on/,
    ],
  ])('%s is refused, naming the field and the mending', (_what, more, path, message) => {
    const fault = faultOf(TrainingConfig, { ...config, ...more });
    expect(fault?.path).toBe(path);
    expect(fault?.message).toMatch(message);
  });

  test('what MEAL V2 leaves open is taken, and absent stays absent', () => {
    const choices = {
      ensemble: 'random-teacher',
      teachers: [{ ...config.teachers[0], weight: 2 }],
      temperature: 4,
      hardLabelWeight: 0.5,
      labelSmoothing: 0.1,
      discriminatorOptions: {
        gradient: 'reversal',
        learningRateFactor: 0.01,
        finalRelu: false,
        inputs: 'probabilities',
      },
    };
    expect(TrainingConfig.parse({ ...config, ...choices })).toMatchObject(choices);
    const { teachers: _, discriminator: __, ...common } = config;
    const alone = { ...common, task: 'classification', labelSmoothing: 0.1 };
    expect(TrainingConfig.parse(alone)).toMatchObject({ labelSmoothing: 0.1 });
    expect(faultOf(TrainingConfig, { ...alone, temperature: 2 })?.message).toMatch(/temperature/);
    expect(Object.keys(TrainingConfig.parse(config)).sort()).toEqual([...Object.keys(config), 'precision'].sort());
  });

  test('every network can be named', () => {
    for (const network of NETWORK_NAMES) expect(TrainingConfig.safeParse({ ...config, network }).success).toBe(true);
  });

  test('a design survives its JSON column, and a name is trimmed', () => {
    expect(StudyDesign.parse(JSON.parse(JSON.stringify(makeDesign())))).toEqual(makeDesign());
    expect(StudyName.parse('  x ')).toBe('x');
    expect(faultOf(StudyName, '   ')?.message).toBe('Give the study a name.');
  });

  test('the demos are good designs: two teachers, and with three seeds each two students alone and eight distilled, or twelve', () => {
    const runCounts = DEMO_NAMES.map((name) => {
      const { design } = DEMOS[name];
      expect(StudyDesign.parse(design)).toEqual(design);
      const expansion = expandDesign(design, { classCount: 10, runs: new Map() });
      return expansion.ok ? expansion.runCount : expansion.problems;
    });
    expect(runCounts).toEqual([2 + (2 + 8) * 3, 2 + 12 * 3]);
  });
});

describe('messages', () => {
  test('an agent’s hello, a watch and a batch are taken as they are meant', () => {
    expect(AgentHello.safeParse({ report: makeReport(), attempts: [] }).success).toBe(true);
    expect(WatchTopic.safeParse({ kind: 'all', more: 1 }).success).toBe(false);
    expect(AttemptRef.safeParse({ runId: makeId('run', 1, bytes(1)), attempt: 0 }).success).toBe(false);
    expect(faultOf(RecordBatch, { runId: makeId('run', 1, bytes(1)), attempt: 1, records: [] })?.path).toBe('records');
  });

  test('P3: a grant names runs, checkpoints and files by hash, and nothing that could be run or be a place on the host', () => {
    const file = { name: 'model.safetensors', sha256: 'a'.repeat(64), sizeBytes: 1 };
    const teacher = { runId: makeId('run', 1, bytes(2)), network: 'resnet18_w8', classCount: 2, file };
    const grant = makeGrant({ steps: 1, end: 'succeed' }, { teachers: [teacher] });
    const smuggled = { command: 'sh', program: '/bin/sh', args: ['-c'], env: {}, cwd: '/', datasetPath: '/etc' };
    expect(Grant.parse({ ...grant, ...smuggled })).toEqual(grant);
    expect(faultOf(Grant, { ...grant, config: { ...grant.config, ...smuggled } })?.path).toBe('config');
    const outside = { ...file, name: '../trainer.js' };
    expect(faultOf(Grant, { ...grant, teachers: [{ ...teacher, file: outside }] })?.path).toBe('teachers.0.file.name');
  });

  test('the largest batch an agent may send fits the socket', () => {
    expect(agentTunables.maxBatchBytes * 2).toBeLessThan(MAX_SOCKET_BYTES);
    expect(agentTunables.maxBatchRecords).toBe(MAX_BATCH_RECORDS);
    const records = Array.from({ length: MAX_BATCH_RECORDS }, () => ({}));
    expect(RecordBatch.safeParse({ runId: makeId('run', 1, bytes(1)), attempt: 1, records }).success).toBe(true);
  });
});
