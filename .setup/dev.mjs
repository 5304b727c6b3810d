// npm run dev: the hub with pages that reload as they are edited. Programs are bundled once at the start.
import { inRoot, runMain } from './shell.mjs';
import { ensureBuild, ensureDependencies, ensureTensorflow } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  await Promise.all([ensureTensorflow(), ensureBuild({ pages: false })]);
  process.env.NEXT_TELEMETRY_DISABLED = '1';
  process.argv.push('--dev');
  await import(inRoot('dist/hub.js'));
});
