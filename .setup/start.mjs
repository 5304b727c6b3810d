// npm start: brings what is missing, then becomes the hub.
import { inRoot, runMain } from './shell.mjs';
import { ensureBuild, ensureDependencies, ensureTensorflow } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  await Promise.all([ensureTensorflow(), ensureBuild()]);
  process.env.NODE_ENV = 'production';
  process.env.NEXT_TELEMETRY_DISABLED = '1';
  // In this process rather than a child of it: one process less to keep in memory and to pass signals to.
  await import(inRoot('dist/hub.js'));
});
