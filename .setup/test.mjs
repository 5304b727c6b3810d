// npm test: brings what is missing, checks types and format, runs every test, ends with one line of counts.
// Arguments go to vitest: `npm test -- test/runs` runs one folder.
import { readFileSync, rmSync } from 'node:fs';
import { check } from './check.mjs';
import { inRoot, run, runMain, say } from './shell.mjs';
import { ensureBrowser, ensureBuild, ensureDependencies, ensurePrisma, ensureTensorflow } from './steps.mjs';

await runMain(async () => {
  const only = process.argv.slice(2);
  await ensureDependencies();
  await ensurePrisma();
  await ensureTensorflow();
  if (only.length === 0) await check();
  await ensureBuild();
  const chromium = await ensureBrowser();

  const counts = inRoot('.cache', 'test-counts.jsonl');
  rmSync(counts, { force: true });
  const env = { MEALTABLE_TEST_COUNTS: counts, ...(chromium ? { MEALTABLE_CHROMIUM: chromium } : {}) };
  const vitest = inRoot('node_modules/vitest/vitest.mjs');
  // Whole-system tests train for real and would be slowed by neighbours: they come after the others, one by one.
  let failed = false;
  for (const project of ['parts', 'system'])
    failed =
      (await run(process.execPath, [vitest, 'run', '--passWithNoTests', '--project', project, ...only], { env })) !==
        0 || failed;

  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const line of readFileSync(counts, 'utf8').trim().split('\n'))
    for (const [name, n] of Object.entries(JSON.parse(line))) total[name] += n;
  say(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  if (failed || total.failed > 0) process.exitCode = 1;
});
