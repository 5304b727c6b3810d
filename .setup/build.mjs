// npm run build: everything that `npm start` would build.
import { runMain } from './shell.mjs';
import { ensureBuild, ensureDependencies } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  await ensureBuild();
});
