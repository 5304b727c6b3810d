/** Writing a StudyPlan, each kind of row in one statement. */
import { MAX_ATTEMPTS } from '@mealtable/protocol/tunables';
import { failDependents } from '../runs/lifecycle-dependents.ts';
import type { Tx } from '../runs/transaction.ts';
import { withoutNul } from '../without-nul.ts';
import type { StudyPlan } from './plan-study.ts';

export async function writePlan(tx: Tx, studyId: string, plan: StudyPlan): Promise<void> {
  await writeVariants(tx, studyId, plan);
  await writeRuns(tx, studyId, plan);
  await writeDependencies(tx, plan);
  for (const { id } of plan.newRuns) tx.runChanged(id);
  tx.emit('study:changed', { studyId });
  if (plan.newRuns.length > 0) tx.nudge(null);
}

/** Variants that exist keep everything but their place in the table. */
async function writeVariants(tx: Tx, studyId: string, { variants }: StudyPlan) {
  await tx.query(
    `INSERT INTO variants (id, study_id, key, position, role, label, levels, network, input_size)
     SELECT id, $1, key, position, role::run_role, label, levels::jsonb, network, size
     FROM unnest($2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[])
          AS t(id, key, position, role, label, levels, network, size)
     ON CONFLICT (id) DO UPDATE SET position = excluded.position`,
    [
      studyId,
      variants.map((v) => v.id),
      variants.map((v) => v.variant.key),
      variants.map((v) => v.position),
      variants.map((v) => v.variant.role),
      variants.map((v) => withoutNul(v.variant.label)),
      variants.map((v) => v.variant.levels && JSON.stringify(v.variant.levels)),
      variants.map((v) => v.variant.network),
      variants.map((v) => v.variant.inputSize),
    ],
  );
}

/** Rows of one transaction share its time; the microseconds keep the order of the table, in which runs are claimed. */
async function writeRuns(tx: Tx, studyId: string, { newRuns }: StudyPlan) {
  await tx.query(
    `INSERT INTO runs (id, study_id, variant_id, role, seed, config, dataset, network, required_labels, max_attempts,
       created_at)
     SELECT id, $1, variant_id, role::run_role, seed, config, config->>'dataset', network,
            ARRAY(SELECT jsonb_array_elements_text(labels)), $2, now() + n * interval '1 microsecond'
     FROM (SELECT id, variant_id, role, seed, network, config::jsonb AS config, labels::jsonb AS labels, n
           FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[])
                WITH ORDINALITY AS t(id, variant_id, role, seed, network, config, labels, n)) AS rows`,
    [
      studyId,
      MAX_ATTEMPTS,
      newRuns.map((r) => r.id),
      newRuns.map((r) => r.variantId),
      newRuns.map((r) => r.role),
      newRuns.map((r) => r.seed),
      newRuns.map((r) => r.network),
      newRuns.map((r) => JSON.stringify(r.config)),
      newRuns.map((r) => JSON.stringify(r.requiredLabels)),
    ],
  );
}

/** A new run may need one of an older part of the study that has failed already: then it fails at once, and says so. */
async function writeDependencies(tx: Tx, { dependencies }: StudyPlan) {
  if (dependencies.length === 0) return;
  const needed = [...new Set(dependencies.map((d) => d.dependsOnId))];
  const { rows: hopeless } = await tx.query<{ id: string }>(
    `SELECT id FROM (SELECT id, status FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) AS locked
     WHERE status IN ('failed', 'cancelled')`,
    [needed],
  );
  await tx.query(`INSERT INTO run_dependencies (run_id, depends_on_id) SELECT * FROM unnest($1::text[], $2::text[])`, [
    dependencies.map((d) => d.runId),
    dependencies.map((d) => d.dependsOnId),
  ]);
  if (hopeless.length > 0)
    await failDependents(
      tx,
      hopeless.map((row) => row.id),
    );
}
