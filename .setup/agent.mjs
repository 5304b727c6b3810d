// npm run agent -- --hub URL --token TOKEN: attaches this machine to a hub as a training host.
import { inRoot, runMain } from './shell.mjs';
import { ensureBuild, ensureDependencies, ensureTensorflow } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  await Promise.all([ensureTensorflow(), ensureBuild({ pages: false })]);
  process.env.NODE_ENV = 'production';
  await import(inRoot('dist/agent.js'));
});
