// npm run check: types, lint and format.
import { inRoot, run, runMain, SetupError, step } from './shell.mjs';
import { ensureDependencies, ensurePrisma } from './steps.mjs';

export async function check() {
  const tools = [
    ['Checking types', 'node_modules/typescript/bin/tsc', ['--noEmit', '-p', '.']],
    ['Checking lint and format', 'node_modules/@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', '.']],
  ];
  for (const [title, script, args] of tools)
    await step(title, async () => {
      if ((await run(process.execPath, [inRoot(script), ...args], { quiet: true })) !== 0)
        throw new SetupError(`${title} found the faults above.`);
    });
}

if (process.argv[1] === inRoot('.setup/check.mjs'))
  await runMain(async () => {
    await ensureDependencies();
    await ensurePrisma();
    await check();
  });
