/** The hub's program: reads the environment, starts the hub, says where it is, and ends it when asked. */
import { parseHubEnv } from './env.ts';
import { type RunningHub, startHub } from './start-hub.ts';
import { StartupFault } from './startup-fault.ts';

const log = (line: string) => console.log(line);

function announce({ hub, ownerLink }: RunningHub) {
  log(`\n  Mealtable is up:  ${hub.baseUrl()}`);
  log(`  Sign in once by:  ${ownerLink}\n`);
}

/** The first signal ends the hub in good order, a second one at once. */
function endOnSignal(starting: Promise<RunningHub>) {
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      log('Stopping: the local agent saves its work first. Once more to stop at once.');
      starting
        .then((running) => running.close())
        .then(
          () => process.exit(0),
          () => process.exit(1), // the start failed meanwhile, and said why
        );
    });
}

async function main() {
  const dev = process.argv.includes('--dev');
  const env = parseHubEnv(process.env);
  const starting = startHub({ env, pages: dev ? 'development' : 'production', log });
  endOnSignal(starting);
  announce(await starting);
}

main().catch((error: unknown) => {
  console.error(error instanceof StartupFault ? error.message : error);
  process.exit(1);
});
