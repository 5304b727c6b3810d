/** The hub's program: reads the environment, starts the hub, says where it is, and ends it when asked. */
import { parseHubEnv } from './env.ts';
import { type RunningHub, startHub } from './start-hub.ts';
import { StartupFault } from './startup-fault.ts';

/** A Ctrl-C reaches the hub twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 1_000;

const log = (line: string) => console.log(line);

function announce({ hub, ownerLink }: RunningHub) {
  log(`\n  Mealtable is up:  ${hub.baseUrl()}`);
  log(`  Sign in once by:  ${ownerLink}\n`);
}

/** The first signal ends the hub in good order. A second one ends it at once; the next start goes on with what is left. */
function endOnSignal(starting: Promise<RunningHub>, hasAgent: boolean) {
  let firstAt: number | undefined;
  const end = () => {
    if (firstAt !== undefined && performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
    if (firstAt !== undefined) return;
    firstAt = performance.now();
    log(`Stopping${hasAgent ? ': the local agent saves its work first' : ''}. Once more to stop at once.`);
    // A start that fails meanwhile is told by main().
    starting
      .then((running) => running.close())
      .then(
        () => process.exit(0),
        () => {},
      );
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
}

// A closed terminal or pipe is no reason to stop serving. Unheard, the error would go to Next's handler for uncaught ones,
// which writes it to the same closed output, for ever.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

async function main() {
  const dev = process.argv.includes('--dev');
  const env = parseHubEnv(process.env);
  const starting = startHub({ env, pages: dev ? 'development' : 'production', log });
  endOnSignal(starting, env.localAgent);
  announce(await starting);
}

main().catch((error: unknown) => {
  console.error(error instanceof StartupFault ? error.message : error);
  process.exit(1);
});
