/** Scripts on the hub's own machine. */
import { runProgram } from './run-program.ts';
import { readOutcome, SENTINEL, SHELL_TIMEOUT_MS, type Shell } from './shell.ts';

/** What programs need to find their way; the hub's secrets are in other variables. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|XDG_[A-Z_]+|LD_LIBRARY_PATH|MODULE[A-Z_]*|SLURM_CONF|CUDA_[A-Z_]+|MEALTABLE_(CACHE|WHEEL_DIR|TENSORFLOW)|(https?|no)_proxy|(HTTPS?|NO)_PROXY|NPM_CONFIG_[A-Z_]+|npm_config_[a-z_]+)$/;

/** @param variables `process.env`, or a test's own */
export function localShell(variables: NodeJS.ProcessEnv): Shell {
  const env = Object.fromEntries(
    Object.entries(variables).filter(([name]) => PASSED_ON.test(name)),
  ) as NodeJS.ProcessEnv;
  return {
    place: 'this machine',
    async exec(line, { stdin = '', timeoutMs = SHELL_TIMEOUT_MS, onLine } = {}) {
      const run = await runProgram('sh', { args: ['-c', `${line}; ${SENTINEL}`], env, stdin, timeoutMs, onLine });
      const outcome = readOutcome(run.stdout);
      if (outcome) return outcome;
      const why = run.isLate ? `no end within ${timeoutMs / 1000} s` : (run.startError ?? run.stderr.trim());
      return { kind: 'lost', fault: { code: 'unreachable', message: `A script on this machine did not end: ${why}.` } };
    },
    close: async () => {},
  };
}
