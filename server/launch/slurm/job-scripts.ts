/** Acts upon one job. Each looks first whether the id still belongs to the token: Slurm may have given it away. */
import type { LaunchSignal } from '../launcher.ts';
import { quote } from '../shell/shell.ts';
import { CLEAN_ENVIRONMENT } from './query.ts';

/** Exit code of a script that could not ask the controller. */
export const NOT_ASKED = 75;

/** `state` is the job's word, `gone`, or the end of the script when Slurm does not answer. */
const ownJob = (jobId: string, name: string) => `${CLEAN_ENVIRONMENT}
id=${quote(jobId)}
look() {
  out=$(ask squeue -h -t all -j "$id" -o '%T %j' 2>&1)
  code=$?
  case "$code $out" in
    0*" "${quote(name)}) state=\${out%% *} ;;
    0*|*"Invalid job id"*) state=gone ;;
    *) echo "$out"; exit ${NOT_ASKED} ;;
  esac
}
ended() { case $state in gone|COMPLETED|FAILED|CANCELLED*|TIMEOUT|DEADLINE|OUT_OF_MEMORY|NODE_FAIL|BOOT_FAIL|PREEMPTED|REVOKED) ;; *) return 1 ;; esac; }
look
[ "$state" = gone ] && exit 0
echo "@ours=1"`;

/** To the agent alone, which the batch shell has become. */
export const signalScript = (jobId: string, name: string, signal: LaunchSignal): string => `${ownJob(jobId, name)}
ended && { echo "@ended=1"; exit 0; }
ask scancel --batch --signal=${signal} "$id" 2>&1`;

export const requeueScript = (jobId: string, name: string): string => `${ownJob(jobId, name)}
ask scontrol requeue "$id" 2>&1`;

/**
 * A job that waits is cancelled. One that runs gets TERM and the grace for its checkpoint; scancel then ends what is left, and also
 * what Slurm has put into its queue again because of the exit code.
 */
export const stopScript = (jobId: string, name: string, graceMs: number): string => `${ownJob(jobId, name)}
ended && { echo "@ended=1"; exit 0; }
if [ "$state" = RUNNING ]; then
  ask scancel --batch --signal=TERM "$id" 2>&1
  left=${Math.ceil(graceMs / 500)}
  while [ "$state" = RUNNING ] && [ $left -gt 0 ]; do sleep 0.5; look; left=$((left - 1)); done
fi
ended || ask scancel "$id" 2>&1
look
left=20
while ! ended && [ $left -gt 0 ]; do sleep 0.5; look; left=$((left - 1)); done
ended && echo "@ended=1"
true`;
