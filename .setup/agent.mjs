// npm run agent -- --hub URL --token TOKEN: attaches this machine to a hub as a training host.
import { existsSync } from 'node:fs';
import { inRoot, runMain } from './shell.mjs';
import { checkNode, ensureBuild, ensureDependencies, ensureTensorflow } from './steps.mjs';

/** Built elsewhere, and installed with `npm ci --workspace @mealtable/trainer --omit=dev`: there is nothing to build with here. */
function hasTrainerAlone() {
  const has = (name) => existsSync(inRoot('node_modules', name, 'package.json'));
  return existsSync(inRoot('dist', 'agent.js')) && has('socket.io-client') && !has('esbuild');
}

await runMain(async () => {
  if (hasTrainerAlone()) {
    checkNode();
    await ensureTensorflow();
  } else {
    await ensureDependencies();
    await Promise.all([ensureTensorflow(), ensureBuild({ pages: false })]);
  }
  process.env.NODE_ENV = 'production';
  await import(inRoot('dist/agent.js'));
});
