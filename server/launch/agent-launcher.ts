/** Agents that stay, on this machine or another one: what `local` and `ssh` have in common. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AgentPlace,
  agentFolder,
  listScript,
  logTailScript,
  signalScript,
  startScript,
  stopScript,
} from './agent-scripts.ts';
import {
  type Launched,
  type Launcher,
  type LauncherCapabilities,
  type LaunchFault,
  type LaunchReport,
  type LaunchResult,
  type LaunchSignal,
  type LaunchSpec,
  type LaunchStatus,
  type LaunchToken,
  launchToken,
} from './launcher.ts';
import type { Installation } from './package/install.ts';
import { putFile, readValues, runScript, type Shell, type ShellOutcome } from './shell/shell.ts';

export interface AgentLauncherOptions {
  kind: 'local' | 'ssh';
  shell: Shell;
  place: AgentPlace;
  /** Makes the programs ready on the host. */
  prepare(report: LaunchReport): Promise<LaunchResult<{ installation: Installation }>>;
  /** Where they are or will be, without bringing anything. */
  locate(): Promise<LaunchResult<{ installation: Installation }>>;
  /** Whether the hub has heard the agent, since then if given: what was heard before may have been its predecessor. */
  hasAttached(token: LaunchToken, since: Date | null): Promise<boolean>;
  now(): Date;
  /** How long `submit` waits for that. */
  attachWaitMs?: number;
}

/** Lines of an agent that ended at once. */
const LAST_WORDS = 12;
const ATTACH_WAIT_MS = 60_000;
const ATTACH_POLL_MS = 500;
/** What a stop may take beyond the grace. */
const STOP_EXTRA_MS = 30_000;

export class AgentLauncher implements Launcher {
  readonly #options: AgentLauncherOptions;

  constructor(options: AgentLauncherOptions) {
    this.#options = options;
  }

  capabilities(): LauncherCapabilities {
    return { kind: this.#options.kind, unit: 'agent', canRequeue: false, maxAtOnce: null };
  }

  async submit(spec: LaunchSpec, token: LaunchToken, report: LaunchReport): Promise<LaunchResult<{ handle: string }>> {
    const { shell, place, prepare } = this.#options;
    const prepared = await prepare(report);
    if (!prepared.ok) return prepared;
    report({ step: 'start', kind: 'begun', message: 'Starting the agent.' });
    const fail = (fault: LaunchFault) => {
      report({ step: 'start', kind: 'failed', message: fault.message });
      return { ok: false as const, fault };
    };
    const tokenFile = `${agentFolder(place.installFolder, token)}/token`;
    const written = await putFile(shell, tokenFile, Buffer.from(`${spec.agentToken}\n`));
    if (written.kind === 'lost') return fail(written.fault);
    const outcome =
      written.code === 0 ? await runScript(shell, startScript(spec, token, place, prepared.installation)) : written;
    if (outcome.kind === 'lost') return fail(outcome.fault);
    const values = readValues(outcome.lines);
    const [handle = ''] = values.get('started') ?? [];
    if (outcome.code !== 0 || handle === '')
      return fail(startFault(`The agent could not be started on ${shell.place}`, outcome.lines));
    const pid = handle.split(' ', 1)[0];
    const log = `${agentFolder(place.installFolder, token)}/agent.log`;
    const what = values.has('kept') ? 'The agent of this version was running' : 'The agent was started';
    report({ step: 'start', kind: 'done', message: `${what}: process ${pid}, log in ${log} on ${shell.place}.` });
    return this.#waitForAgent(spec, { token, handle }, values.has('kept') ? null : this.#options.now(), report);
  }

  /** An agent that ends at once has failed; one that cannot reach the hub yet goes on trying by itself. */
  async #waitForAgent(
    spec: LaunchSpec,
    launched: Launched,
    since: Date | null,
    report: LaunchReport,
  ): Promise<LaunchResult<{ handle: string }>> {
    const { hasAttached, attachWaitMs = ATTACH_WAIT_MS, shell, place } = this.#options;
    const deadline = performance.now() + attachWaitMs;
    for (;;) {
      if (await hasAttached(launched.token, since)) {
        report({ step: 'attached', kind: 'done', message: `${spec.name} is attached.` });
        return { ok: true, handle: launched.handle };
      }
      const status = (await this.list([launched])).find(({ token }) => token === launched.token)!;
      if (status.state === 'ended') {
        const said = await runScript(shell, logTailScript(place.installFolder, launched.token, LAST_WORDS));
        const fault = startFault(
          `The agent on ${shell.place} ended at once${status.exit?.code == null ? '' : ` with exit code ${status.exit.code}`}`,
          said.kind === 'done' ? said.lines : [],
        );
        report({ step: 'attached', kind: 'failed', message: fault.message });
        return { ok: false, fault };
      }
      if (performance.now() > deadline) break;
      await sleep(ATTACH_POLL_MS);
    }
    report({
      step: 'attached',
      kind: 'failed',
      message: `The agent runs and has not reached ${spec.hubUrl} within ${attachWaitMs / 1000} s: check that ${shell.place} can open that address. It goes on trying.`,
    });
    return { ok: true, handle: launched.handle };
  }

  async list(known: readonly Launched[]): Promise<LaunchStatus[]> {
    const { shell, place } = this.#options;
    const outcome = await runScript(shell, listScript(place.installFolder));
    if (outcome.kind === 'lost')
      return known.map((launched) => unknownStatus(launched, outcome.fault.message, outcome.fault));
    const values = readValues(outcome.lines);
    const node = values.get('node')?.[0] ?? null;
    const found = (values.get('agent') ?? []).flatMap((line) => readAgent(line, node));
    const missing = known.filter(({ token }) => !found.some((status) => status.token === token));
    return [
      ...found,
      ...missing.map((launched) =>
        unknownStatus(launched, `${shell.place} has no trace of it in ${place.installFolder}/agents.`, null),
      ),
    ];
  }

  async signal({ token, handle }: Launched, signal: LaunchSignal): Promise<LaunchResult<object>> {
    const { shell, place } = this.#options;
    return judgeAct(await runScript(shell, signalScript(place.installFolder, token, handle, signal)));
  }

  async stop({ token, handle }: Launched, graceMs: number): Promise<LaunchResult<{ hasEnded: boolean }>> {
    const { shell, place } = this.#options;
    const script = stopScript(place.installFolder, token, handle, graceMs);
    return judgeAct(await runScript(shell, script, { timeoutMs: graceMs + STOP_EXTRA_MS }));
  }

  async tail(token: LaunchToken, lines: number): Promise<LaunchResult<{ lines: string[] }>> {
    const { shell, place } = this.#options;
    const outcome = await runScript(shell, logTailScript(place.installFolder, token, lines));
    return outcome.kind === 'lost' ? { ok: false, fault: outcome.fault } : { ok: true, lines: outcome.lines };
  }

  async dryRun(spec: LaunchSpec, token: LaunchToken): Promise<LaunchResult<{ script: string }>> {
    const located = await this.#options.locate();
    if (!located.ok) return located;
    return { ok: true, script: startScript(spec, token, this.#options.place, located.installation) };
  }

  close(): Promise<void> {
    return this.#options.shell.close();
  }
}

function judgeAct(outcome: ShellOutcome): LaunchResult<{ hasEnded: boolean }> {
  if (outcome.kind === 'lost') return { ok: false, fault: outcome.fault };
  const values = readValues(outcome.lines);
  if (values.has('ours')) return { ok: true, hasEnded: values.has('ended') };
  return {
    ok: false,
    fault: { code: 'not_ours', message: 'That process was replaced by another one or is gone: look again.' },
  };
}

const startFault = (what: string, lines: readonly string[]): LaunchFault => ({
  code: 'start_failed',
  message: `${what}: ${
    lines
      .filter((line) => !line.startsWith('@'))
      .slice(-5)
      .join(' ')
      .slice(0, 1000) || 'it said nothing'
  }`,
});

export const unknownStatus = (launched: Launched, reason: string, fault: LaunchFault | null): LaunchStatus => ({
  token: launched.token,
  handle: launched.handle,
  state: 'unknown',
  reason,
  wasAsked: fault === null,
  ...(fault === null ? {} : { fault }),
  node: null,
  exit: null,
  restarts: 0,
});

/** A shell says 128 + n of a program that signal n ended. */
function readAgent(line: string, node: string | null): LaunchStatus[] {
  const parts = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,99})\|(\d+ \S+)\|([01])\|(\d{0,3})\|/.exec(line);
  if (!parts) return [];
  const [, token = '', handle = '', isAlive, exitText = ''] = parts;
  const code = exitText === '' ? null : Number(exitText);
  const exit =
    code === null
      ? ({ cause: 'untold', code: null, signal: null } as const)
      : ({ cause: 'exit', code: code > 128 ? null : code, signal: code > 128 ? code - 128 : null } as const);
  const common = { token: launchToken(token), handle, node, reason: null, wasAsked: true, restarts: 0 };
  return [isAlive === '1' ? { ...common, state: 'running', exit: null } : { ...common, state: 'ended', exit }];
}
