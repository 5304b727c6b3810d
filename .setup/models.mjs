// npm run models: the networks and published weights that Mealtable knows. Needs no build and no TensorFlow.
import { inRoot, run, runMain } from './shell.mjs';
import { ensureDependencies } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  const program = inRoot('trainer/models-list/main.ts');
  process.exitCode = await run(process.execPath, ['--import', 'tsx', program, ...process.argv.slice(2)]);
});
