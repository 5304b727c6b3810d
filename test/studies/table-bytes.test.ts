/** The same data in any order of rows in the database gives the same bytes in every export. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPivot } from '../../components/pivot/build-pivot.ts';
import { pivotText, pivotToCsv } from '../../components/pivot/pivot-export.ts';
import { costOfVariant, slotKindOf } from '../../components/study/costs.ts';
import { effectsText, effectsToCsv } from '../../components/study/effects-export.ts';
import { effectsFigure } from '../../components/study/effects-figure.ts';
import { tableToLatex, tableToMarkdown } from '../../components/study/table-cells.ts';
import { toCsv, top1Text } from '../../components/study/table-export.ts';
import { COST_NAMES, DEFAULT_VIEW } from '../../components/study/table-view.ts';
import { chooseEffects, chooseRows, referenceOf } from '../../components/study/top1-data.ts';
import { loadStudyCosts } from '../../server/studies/costs.ts';
import { loadStudyView } from '../../server/studies/view.ts';
import { addHost, addStudy, type Core, createCore, makeDesign } from '../support/core.ts';

let core: Core;
beforeAll(async () => {
  core = await createCore();
});
afterAll(() => core.close());

async function exportAll(studyId: string): Promise<string[]> {
  const { rows: sent } = await loadStudyView(core.hub.pool, studyId);
  const costs = new Map((await loadStudyCosts(core.hub.pool, studyId)).map((cost) => [cost.runId, cost]));
  const rows = chooseRows(sent, DEFAULT_VIEW);
  const shared = { metric: 'best' as const, decimals: 2, reproduces: 'resnet50-224' as const };
  const own = (row: (typeof rows)[number]) => costOfVariant(row, costs);
  const table = { rows, ...shared, costs: { names: COST_NAMES, slots: slotKindOf(costs.values()), of: own } };
  const pivot = { pivot: buildPivot(rows, referenceOf(sent, null), DEFAULT_VIEW), ...shared, differences: true };
  const effects = { effects: chooseEffects(sent, DEFAULT_VIEW), ...shared };
  const texts = [top1Text(table), pivotText(pivot), effectsText(effects)];
  return [
    ...[toCsv(table), pivotToCsv(pivot), effectsToCsv(effects)],
    ...texts.flatMap((text) => [
      tableToMarkdown(text),
      tableToLatex(text),
      tableToLatex(text, { float: { label: 'tab:x' } }),
    ]),
    effectsFigure(effects.effects, { decimals: 2, hasInteractions: true, caption: 'c' })!.svg,
  ];
}

test('whatever the order in which the database keeps its rows', async () => {
  const { pool } = core.hub;
  await addHost(core.hub);
  const factors = {
    teachers: [[{ kind: 'planned' as const, key: 'a' }], [{ kind: 'planned' as const, key: 'b' }]],
    discriminator: [true, false],
    inputSize: [24, 28],
  };
  const studyId = await addStudy(core.hub, makeDesign({ factors, seeds: [3, 1, 2] }));
  // Numbers of which sums depend on their order.
  await pool.query(
    `UPDATE runs SET status = 'succeeded', best_epoch = 2,
       best_top1 = 80 + ('x' || substr(md5(variant_id || seed), 1, 6))::bit(24)::int / 1677721.7`,
  );
  await pool.query(`UPDATE runs SET status = 'failed' WHERE seed = 2 AND substr(md5(variant_id), 1, 1) < '8'`);
  await pool.query(
    `INSERT INTO run_attempts (run_id, attempt, claimed_at, ended_at)
     SELECT id, n, '2026-01-01', timestamptz '2026-01-01' + n * interval '1234.567 seconds' FROM runs, generate_series(1, 3) n`,
  );
  const before = await exportAll(studyId);
  expect(before[0]!.split('\n').length).toBeGreaterThan(12);
  for (const order of ['md5(%)', 'reverse(md5(%))'])
    for (const [table, column] of [
      ['runs', 'id'],
      ['variants', 'id'],
      ['run_attempts', 'run_id || attempt'],
    ] as const) {
      await pool.query(`CREATE INDEX shuffled ON ${table} ((${order.replace('%', column)}))`);
      await pool.query(`CLUSTER ${table} USING shuffled`);
      await pool.query('DROP INDEX shuffled');
      await pool.query(`ANALYZE ${table}`);
      expect(await exportAll(studyId), `${table} by ${order}`).toEqual(before);
    }
  // Even where the table's own order does not tell variants apart.
  await pool.query('UPDATE variants SET position = 0');
  const tied = await exportAll(studyId);
  await pool.query('CREATE INDEX shuffled ON variants (md5(id))');
  await pool.query('CLUSTER variants USING shuffled');
  expect(await exportAll(studyId)).toEqual(tied);
});
