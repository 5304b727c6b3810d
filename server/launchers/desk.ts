/** Launchers at work: each row's `Launcher` with its connection, what is being done with it, and what was last seen of it. */
import type { LauncherFaultView, LauncherTask } from '@mealtable/protocol/launcher-views';
import { isLoopbackUrl, localUrlOf } from '../base-url.ts';
import type { Hub } from '../context.ts';
import { createLauncher, type LauncherContext } from '../launch/create-launcher.ts';
import {
  type LaunchEvent,
  type Launcher,
  type LaunchReport,
  type LaunchSpec,
  type LaunchStatus,
  type LaunchToken,
  launchToken,
} from '../launch/launcher.ts';
import { provideLauncherToken } from './agent-token.ts';
import { EventLog } from './event-log.ts';
import type { LauncherRow } from './launcher-rows.ts';

export type DeskHub = Pick<Hub, 'db' | 'pool' | 'bus' | 'env' | 'ids' | 'now' | 'baseUrl'>;
export interface DeskOptions extends Pick<LauncherContext, 'projectDir' | 'variables'> {
  /** The port that the hub listens on. */
  port: number;
}

/** What is known of a launcher besides its row; lost with the hub and found again by looking. */
export interface LauncherState {
  task: LauncherTask | null;
  fault: LauncherFaultView | null;
  agent: (LaunchStatus & { seenAt: Date }) | null;
}
interface Opened extends LauncherState {
  launcher: Launcher | null;
  /** The settings that it was made from. */
  settings: string;
  attachedAt: Date | null;
}

export class LauncherDesk {
  readonly hub: DeskHub;
  readonly events: EventLog;
  readonly #options: DeskOptions;
  readonly #opened = new Map<string, Opened>();
  readonly #onAttached = (launcherId: string) => {
    this.#entry(launcherId).attachedAt = this.hub.now();
    this.tell(launcherId);
  };

  constructor(hub: DeskHub, options: DeskOptions) {
    this.hub = hub;
    this.#options = options;
    this.events = new EventLog(hub);
    hub.bus.on('launcher:attached', this.#onAttached);
  }

  get variables(): NodeJS.ProcessEnv {
    return this.#options.variables;
  }

  /** One for each row, made anew when its settings have changed. */
  async open(row: LauncherRow): Promise<Launcher> {
    const entry = this.#entry(row.id);
    const settings = JSON.stringify(row.settings);
    if (entry.launcher && entry.settings === settings) return entry.launcher;
    await entry.launcher?.close();
    entry.settings = settings;
    entry.launcher = createLauncher(row.settings, groupOf(row.id), {
      projectDir: this.#options.projectDir,
      variables: this.#options.variables,
      hasAttached: (_token, since) => this.#hasAttached(row.id, since),
      now: this.hub.now,
    });
    return entry.launcher;
  }

  state(launcherId: string): LauncherState {
    return this.#entry(launcherId);
  }

  /** Changes what is known, and tells whoever watches. */
  note(launcherId: string, change: Partial<LauncherState>): void {
    Object.assign(this.#entry(launcherId), change);
    this.tell(launcherId);
  }

  tell(launcherId: string): void {
    this.hub.bus.emit('launcher:changed', { launcherId });
  }

  /** Where the launcher's hosts reach the hub. */
  hubUrl({ settings }: Pick<LauncherRow, 'settings'>): { url: string; isLoopback: boolean } {
    if (settings.kind === 'local') return { url: localUrlOf(this.hub.env, this.#options.port), isLoopback: false };
    const url = this.hub.baseUrl();
    return { url, isLoopback: isLoopbackUrl(url) };
  }

  async spec(row: LauncherRow, token: LaunchToken, runId: string | null): Promise<LaunchSpec> {
    const agentToken = await provideLauncherToken(this.hub, row);
    return this.specWith(row, token, runId, agentToken);
  }

  /** Without the secret, for showing. */
  specWith(row: LauncherRow, token: LaunchToken, runId: string | null, agentToken: string): LaunchSpec {
    const labels = [row.name, ...row.settings.labels.filter((label) => label !== row.name)];
    // An agent of one run is known by its job's token until the hub gives it a name.
    return { hubUrl: this.hubUrl(row).url, agentToken, name: runId === null ? row.name : token, labels, runId };
  }

  report(launcherId: string): LaunchReport {
    return (event: LaunchEvent) => this.events.add(launcherId, event);
  }

  async forget(launcherId: string): Promise<void> {
    await this.#opened.get(launcherId)?.launcher?.close();
    this.#opened.delete(launcherId);
  }

  async close(): Promise<void> {
    this.hub.bus.off('launcher:attached', this.#onAttached);
    for (const { launcher } of this.#opened.values()) await launcher?.close();
    this.#opened.clear();
    await this.events.close();
  }

  async #hasAttached(launcherId: string, since: Date | null): Promise<boolean> {
    const { attachedAt } = this.#entry(launcherId);
    if (since !== null) return attachedAt !== null && attachedAt >= since;
    const { rows } = await this.hub.pool.query(
      'SELECT 1 FROM hosts WHERE launcher_id = $1 AND detached_at IS NULL LIMIT 1',
      [launcherId],
    );
    return rows.length > 0;
  }

  #entry(launcherId: string): Opened {
    let entry = this.#opened.get(launcherId);
    if (!entry) {
      entry = { launcher: null, settings: '', attachedAt: null, task: null, fault: null, agent: null };
      this.#opened.set(launcherId, entry);
    }
    return entry;
  }
}

/** Tells a launcher's jobs from all others of the account: letters, digits and dashes. */
const groupOf = (launcherId: string): string => `mt-${launcherId.split('_')[1]}`;

/** Of the agent that a launcher keeps running. */
export const agentTokenOf = (launcherId: string): LaunchToken => launchToken(launcherId);
