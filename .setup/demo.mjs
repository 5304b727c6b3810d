// npm run demo: the demo study from start to table, without a browser.
import { inRoot, runMain } from './shell.mjs';
import { ensureBuild, ensureDependencies, ensureTensorflow } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  await Promise.all([ensureTensorflow(), ensureBuild({ pages: false })]);
  process.env.NODE_ENV = 'production';
  await import(inRoot('dist/demo.js'));
});
