/**
 * One batch job per run, by Slurm's own commands on this machine or on a login host. Slurm decides where and when; the agent in the
 * job asks the hub for its one run. A job is known by our token in its name, whatever its id.
 */
import type { SlurmLauncherSettings } from '@mealtable/protocol/launchers';
import { unknownStatus } from '../agent-launcher.ts';
import type {
  Launched,
  Launcher,
  LauncherCapabilities,
  LaunchFault,
  LaunchReport,
  LaunchResult,
  LaunchSignal,
  LaunchSpec,
  LaunchStatus,
  LaunchToken,
} from '../launcher.ts';
import type { Installation } from '../package/install.ts';
import { putFile, quotePath, readValues, runScript, type Shell, type ShellOutcome } from '../shell/shell.ts';
import { NOT_ASKED, requeueScript, signalScript, stopScript } from './job-scripts.ts';
import { CLEAN_ENVIRONMENT, faultOf, queryEnded, queryQueue, SLURM_SCRIPT_TIMEOUT_MS } from './query.ts';
import { batchScript, jobFolder, jobName } from './script.ts';
import { chooseJob, launchExit, launchState, type SlurmJobRecord } from './states.ts';

export interface SlurmLauncherOptions {
  settings: SlurmLauncherSettings;
  shell: Shell;
  /** Tells this launcher's jobs from all others of the account: letters, digits and dashes. */
  group: string;
  prepare(report: LaunchReport): Promise<LaunchResult<{ installation: Installation }>>;
  locate(): Promise<LaunchResult<{ installation: Installation }>>;
}

/** What a stop may take beyond the grace: Slurm's own KillWait is 30 s by default. */
const STOP_EXTRA_MS = 60_000;
const END_OF_SCRIPT = 'MEALTABLE-END-OF-BATCH-SCRIPT';

export class SlurmLauncher implements Launcher {
  readonly #options: SlurmLauncherOptions;

  constructor(options: SlurmLauncherOptions) {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/.test(options.group))
      throw new Error(`"${options.group}" is no group of jobs.`);
    this.#options = options;
  }

  capabilities(): LauncherCapabilities {
    return { kind: 'slurm', unit: 'run', canRequeue: true, maxAtOnce: this.#options.settings.maxJobs };
  }

  async submit(spec: LaunchSpec, token: LaunchToken, report: LaunchReport): Promise<LaunchResult<{ handle: string }>> {
    const { shell, group, settings, prepare } = this.#options;
    const fail = (fault: LaunchFault) => {
      report({ step: 'submit', kind: 'failed', message: fault.message });
      return { ok: false as const, fault };
    };
    const queue = await queryQueue(shell, group);
    if ('fault' in queue) return fail(queue.fault);
    const live = [...queue.jobs].flatMap(([of, jobs]) => {
      const job = chooseJob(jobs.filter(({ state }) => launchState(state) !== 'ended'));
      return job ? [{ of, job }] : [];
    });
    const same = live.find(({ of }) => of === token);
    if (same) {
      report({ step: 'submit', kind: 'skipped', message: `Job ${same.job.jobId} is this one already.` });
      return { ok: true, handle: same.job.jobId };
    }
    if (live.length >= settings.maxJobs) {
      const message = `${live.length} jobs wait or run, and the launcher's limit is ${settings.maxJobs}: this one waits for its turn.`;
      return { ok: false, fault: { code: 'at_limit', message } };
    }
    const prepared = await prepare(report);
    if (!prepared.ok) return prepared;
    report({ step: 'submit', kind: 'begun', message: 'Submitting the job.' });
    const tokenFile = `${jobFolder(prepared.installation, token)}/token`;
    const written = await putFile(shell, tokenFile, Buffer.from(`${spec.agentToken}\n`));
    const fault = faultOf(shell, 'sh', written);
    if (fault) return fail(fault);
    return this.#sbatch(batchScript(spec, token, group, settings, prepared.installation), report, fail);
  }

  async #sbatch(script: string, report: LaunchReport, fail: (fault: LaunchFault) => { ok: false; fault: LaunchFault }) {
    const { shell } = this.#options;
    const outcome = await runScript(
      shell,
      `${CLEAN_ENVIRONMENT}
ask sbatch --parsable 2>&1 <<'${END_OF_SCRIPT}'
${script}${END_OF_SCRIPT}`,
      { timeoutMs: SLURM_SCRIPT_TIMEOUT_MS },
    );
    if (outcome.kind === 'lost') return fail(outcome.fault);
    const said = outcome.lines.filter((line) => line !== '').join(' ');
    const jobId = outcome.lines.map((line) => /^(\d+)(;\S+)?$/.exec(line.trim())?.[1]).find((id) => id !== undefined);
    if (outcome.code === 0 && jobId !== undefined) {
      report({ step: 'submit', kind: 'done', message: `Job ${jobId}.` });
      return { ok: true as const, handle: jobId };
    }
    // The job may have been taken although its answer is missing.
    const isUnanswered = outcome.code === 124 || /Socket timed out|Unable to contact|Connection refused/i.test(said);
    if (isUnanswered || outcome.code === 127)
      return fail(faultOf(shell, 'sbatch', { ...outcome, code: outcome.code || 1 })!);
    return fail({ code: 'refused', message: `Slurm refused the job: ${said.slice(0, 500) || 'it said nothing'}` });
  }

  async list(known: readonly Launched[]): Promise<LaunchStatus[]> {
    const { shell, group } = this.#options;
    const queue = await queryQueue(shell, group);
    if ('fault' in queue) return known.map((launched) => unknownStatus(launched, queue.fault.message, queue.fault));
    const shown = new Map([...queue.jobs].map(([token, jobs]) => [token, chooseJob(jobs)!]));
    const missing = known.filter(({ token }) => !shown.has(token));
    const ended = [...shown.values()].filter(({ state }) => launchState(state) !== 'waiting');
    const details =
      ended.length + missing.length === 0
        ? new Map<LaunchToken, SlurmJobRecord[]>()
        : await queryEnded(
            shell,
            group,
            ended.map(({ jobId }) => jobId),
            missing.map(({ token }) => token),
          );
    return [
      ...[...shown].map(([token, job]) => statusOf(token, withDetails(job, details.get(token)))),
      ...missing.map((launched) => {
        const job = chooseJob(details.get(launched.token) ?? []);
        return job
          ? statusOf(launched.token, job)
          : unknownStatus(launched, `Slurm has no job of the name ${jobName(group, launched.token)} any more.`, null);
      }),
    ];
  }

  async signal({ token, handle }: Launched, signal: LaunchSignal): Promise<LaunchResult<object>> {
    return this.#act(signalScript(handle, jobName(this.#options.group, token), signal));
  }

  async stop({ token, handle }: Launched, graceMs: number): Promise<LaunchResult<{ hasEnded: boolean }>> {
    const script = stopScript(handle, jobName(this.#options.group, token), graceMs);
    return this.#act(script, graceMs + STOP_EXTRA_MS);
  }

  async requeue({ token, handle }: Launched): Promise<LaunchResult<object>> {
    return this.#act(requeueScript(handle, jobName(this.#options.group, token)));
  }

  async tail(token: LaunchToken, lines: number): Promise<LaunchResult<{ lines: string[] }>> {
    const { shell, settings } = this.#options;
    const file = `${quotePath(`${settings.installFolder}/jobs/${token}`)}/output.log`;
    const outcome = await runScript(shell, `tail -n ${lines} ${file} 2>&1`);
    return outcome.kind === 'lost' ? { ok: false, fault: outcome.fault } : { ok: true, lines: outcome.lines };
  }

  async dryRun(spec: LaunchSpec, token: LaunchToken): Promise<LaunchResult<{ script: string }>> {
    const { group, settings, locate } = this.#options;
    const located = await locate();
    if (!located.ok) return located;
    return { ok: true, script: batchScript(spec, token, group, settings, located.installation) };
  }

  close(): Promise<void> {
    return this.#options.shell.close();
  }

  async #act(script: string, timeoutMs = SLURM_SCRIPT_TIMEOUT_MS): Promise<LaunchResult<{ hasEnded: boolean }>> {
    const { shell } = this.#options;
    const outcome: ShellOutcome = await runScript(shell, script, { timeoutMs });
    if (outcome.kind === 'lost') return { ok: false, fault: outcome.fault };
    if (outcome.code === NOT_ASKED || outcome.code === 124)
      return { ok: false, fault: faultOf(shell, 'squeue', outcome)! };
    const values = readValues(outcome.lines);
    if (!values.has('ours'))
      return { ok: false, fault: { code: 'not_ours', message: 'Slurm has no such job of ours any more: look again.' } };
    if (outcome.code === 0) return { ok: true, hasEnded: values.has('ended') };
    const said = outcome.lines.filter((line) => !line.startsWith('@')).join(' ');
    return { ok: false, fault: { code: 'refused', message: `Slurm refused: ${said.slice(0, 500)}` } };
  }
}

/** squeue says what is now; the other record adds what only it has, if it speaks of the same job. */
function withDetails(job: SlurmJobRecord, details: readonly SlurmJobRecord[] = []): SlurmJobRecord {
  const more = details.find(({ jobId, state }) => jobId === job.jobId && state === job.state);
  return more ? { ...job, exitCode: more.exitCode, restarts: more.restarts } : job;
}

function statusOf(token: LaunchToken, job: SlurmJobRecord): LaunchStatus {
  const state = launchState(job.state);
  const reason = state === 'unknown' ? `Slurm says ${job.state}.` : job.reason;
  const { jobId: handle, node, restarts } = job;
  return { token, handle, state, reason, wasAsked: true, node, exit: launchExit(job), restarts };
}
