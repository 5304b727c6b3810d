/** A study of ten thousand runs with fifty metrics each, as its hub would have it at the end: written by SQL, not by trainers. */
import { StudyDesign, type StudyDesignInput } from '@mealtable/protocol/study-design';
import type { Hub } from '../../server/context.ts';
import { upsertHost } from '../../server/hosts/host-rows.ts';
import { transact } from '../../server/runs/transaction.ts';
import { createStudy } from '../../server/studies/create.ts';
import { makeReport } from '../../test/support/core.ts';

type SeedHub = Pick<Hub, 'db' | 'pool' | 'bus' | 'ids'>;

const planned = (key: string, network: 'resnet18' | 'resnet34' | 'resnet50' | 'resnet101' | 'resnet152') => ({
  ...{ key, network, inputSize: 224, epochs: 90, batchSize: 64, seed: 1 },
  optimizer: { learningRate: 0.1 },
});
const ref = (key: string) => ({ kind: 'planned' as const, key });

/** 5 ensembles x 2 discriminators x 5 temperatures x 2 sizes, with 37 fields in each config. */
const DESIGN: StudyDesignInput = {
  version: 1,
  dataset: 'digits',
  student: { network: 'resnet18', initialisation: { kind: 'random' } },
  epochs: 100,
  batchSize: 64,
  accumulation: 2,
  labelSmoothing: 0.1,
  optimizer: {
    learningRate: 0.01,
    momentum: 0.9,
    weightDecay: 1e-4,
    decayedParameters: 'kernels',
    adamw: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    schedule: { kind: 'cosine', warmupEpochs: 5 },
  },
  discriminatorOptions: { learningRateFactor: 1, finalRelu: true, inputs: 'logits' },
  planned: [
    planned('t18', 'resnet34'),
    planned('t50', 'resnet50'),
    planned('t101', 'resnet101'),
    planned('t152', 'resnet152'),
  ],
  baseline: false,
  design: 'full-factorial',
  factors: {
    teachers: [
      [ref('t50')],
      [ref('t152')],
      [ref('t50'), ref('t152')],
      [ref('t18'), ref('t101')],
      [ref('t101'), ref('t152')],
    ],
    discriminator: [true, false],
    inputSize: [224, 192],
    temperature: [1, 2, 4, 6, 8],
    hardLabelWeight: [0.2],
    mixing: [{ kind: 'cutmix', alpha: 1, probability: 0.5 }],
    ema: [{ decay: 0.999, warmup: true }],
    ensemble: ['mean-probability'],
    teacherInputSize: [224],
  },
  list: [],
  seeds: [1, 2, 3, 4],
};

export const METRICS: readonly string[] = [
  ...[
    'train/loss',
    'train/similarity_loss',
    'train/discriminator_loss',
    'train/learning_rate',
    'val/loss',
    'val/top1',
    'val/top5',
  ],
  ...Array.from({ length: 43 }, (_, i) => `layers/block${Math.floor(i / 5)}.stat${i % 5}`),
];

/** @param runs how many runs its students have together @returns the study's id */
export async function seedLargeStudy(hub: SeedHub, runs: number): Promise<string> {
  const hosts = ['gpu-1', 'gpu-2', 'gpu-3', '=cmd|"host"', '<b>host</b>'];
  const hostIds: string[] = [];
  for (const name of hosts) {
    const hostId = hub.ids('host');
    await transact(hub, (tx) => upsertHost(tx, hostId, '1.0.0', makeReport({ name })));
    hostIds.push(hostId);
  }
  const design = StudyDesign.parse(DESIGN);
  const studyId = await createStudy(hub, { name: 'Ten thousand runs', notes: '', design, createdById: null } as never);
  const { rows } = await hub.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM variants WHERE study_id = $1 AND role = 'student'`,
    [studyId],
  );
  const seeds = Math.floor(runs / rows[0]!.n);
  // Beyond what a design may have at once: the same runs again with other seeds.
  await hub.pool.query(
    `INSERT INTO runs (id, study_id, variant_id, role, seed, config, dataset, network, created_at)
     SELECT 'run_' || lpad((r.n * 1000 + s)::text, 22, '0'), r.study_id, r.variant_id, r.role, s,
            jsonb_set(r.config, '{seed}', to_jsonb(s)), r.dataset, r.network, now() - (r.n * 7 + s) * interval '1 minute'
     FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM runs WHERE study_id = $1 AND role = 'student' AND seed = 1) r
     CROSS JOIN generate_series(5, $2) AS s`,
    [studyId, seeds],
  );
  await endRuns(hub, studyId, hostIds);
  await writeSummaries(hub, studyId);
  await hub.pool.query('ANALYZE');
  return studyId;
}

/** Most have succeeded; some failed, were cancelled, wait or are under way. */
async function endRuns(hub: SeedHub, studyId: string, hostIds: readonly string[]): Promise<void> {
  await hub.pool.query(
    `UPDATE runs r SET status = n.status::run_status, attempt = 1, host_id = ($2::text[])[1 + n.k % 5],
       failure_code = CASE n.status WHEN 'failed' THEN 'diverged' END::failure_code,
       failure_message = CASE n.status WHEN 'failed' THEN 'The loss became NaN at step ' || n.k END,
       steps_per_epoch = 100, total_steps = 10000, parameter_count = 11689512,
       steps_completed = CASE n.status WHEN 'succeeded' THEN 10000 ELSE (n.k * 37) % 10000 END,
       best_top1 = 60 + (n.k * 7919 % 2000) / 100.0, best_epoch = 50 + n.k % 50, last_top1 = 59 + (n.k * 7919 % 2000) / 100.0,
       started_at = r.created_at + interval '1 minute', lease_expires_at = now() + interval '1 day',
       finished_at = CASE WHEN n.status <> 'running' THEN r.created_at + (30 + n.k % 400) * interval '1 minute' END
     FROM (SELECT id, k, CASE WHEN role = 'teacher' THEN 'succeeded' WHEN k % 20 < 16 THEN 'succeeded' WHEN k % 20 = 16 THEN 'failed'
                              WHEN k % 20 = 17 THEN 'cancelled' WHEN k % 20 = 18 THEN 'running' ELSE 'queued' END AS status
           FROM (SELECT id, role, row_number() OVER (ORDER BY id)::int AS k FROM runs WHERE study_id = $1) numbered) n
     WHERE n.id = r.id AND n.status <> 'queued'`,
    [studyId, hostIds],
  );
}

async function writeSummaries(hub: SeedHub, studyId: string): Promise<void> {
  await hub.pool.query(
    `INSERT INTO metric_series (run_id, name, points, last, last_step, last_epoch, last_attempt, min, min_step, min_epoch, max, max_step, max_epoch)
     SELECT r.id, m.name, 100, v.value, r.steps_completed, r.steps_completed / 100.0, 1,
            v.value - 1, 100, 1, v.value + 1, r.steps_completed / 2, r.steps_completed / 200.0
     FROM (SELECT id, steps_completed, row_number() OVER (ORDER BY id)::int AS k FROM runs WHERE study_id = $1 AND attempt > 0) r
     CROSS JOIN unnest($2::text[]) WITH ORDINALITY AS m(name, i)
     CROSS JOIN LATERAL (SELECT ((r.k::bigint * 7919 + m.i * 104729) % 10007) / 100.0 AS value) v`,
    [studyId, METRICS],
  );
}
