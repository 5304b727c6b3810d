// npm run evaluate -- --weights NAME --dataset FOLDER: the accuracy of published weights or of a checkpoint, without a hub.
import { inRoot, runMain } from './shell.mjs';
import { ensureBuild, ensureDependencies, ensureTensorflow } from './steps.mjs';

await runMain(async () => {
  await ensureDependencies();
  await Promise.all([ensureTensorflow(), ensureBuild({ pages: false })]);
  process.env.NODE_ENV = 'production';
  await import(inRoot('dist/evaluate.js'));
});
