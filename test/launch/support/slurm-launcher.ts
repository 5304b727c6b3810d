/** A launcher on a test's own Slurm, whose jobs run a small program instead of the agent. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SlurmLauncherSettings } from '@mealtable/protocol/launchers';
import { expect } from 'vitest';
import {
  type LaunchEvent,
  type Launched,
  type LaunchSpec,
  type LaunchStatus,
  type LaunchToken,
  launchToken,
} from '../../../server/launch/launcher.ts';
import type { Installation } from '../../../server/launch/package/install.ts';
import { localShell } from '../../../server/launch/shell/local-shell.ts';
import type { Shell } from '../../../server/launch/shell/shell.ts';
import { SlurmLauncher } from '../../../server/launch/slurm/slurm-launcher.ts';
import type { TestSlurm } from '../../support/slurm.ts';

export interface JobPlace {
  installation: Installation;
  events: LaunchEvent[];
  launcher(batch?: object, shell?: Shell, maxJobs?: number): SlurmLauncher;
  /** Submits a job that does as told: `exit-N`, `kill`, or `wait`. */
  submit(launcher: SlurmLauncher, token: string, deed: string): Promise<Launched>;
  /** What the job's program wrote down. */
  said(token: string): string[];
  remove(): void;
}

export const SECRET = 'mt_agent_secret';

export function makeJobPlace(slurm: TestSlurm): JobPlace {
  const root = mkdtempSync(path.join(tmpdir(), 'mealtable-jobs-'));
  const program = path.join(root, 'program.sh');
  copyFileSync(path.join(import.meta.dirname, 'job-program.sh'), program);
  const installation: Installation = { root, node: '/bin/sh', program, version: '1' };
  const events: LaunchEvent[] = [];
  const found = async () => ({ ok: true, installation }) as const;
  return {
    installation,
    events,
    launcher: (batch = {}, shell = localShell({ ...process.env, ...slurm.env }), maxJobs = 20) =>
      new SlurmLauncher({
        settings: SlurmLauncherSettings.parse({ kind: 'slurm', batch: { partition: 'gpu', ...batch }, maxJobs }),
        shell,
        group: 'mt-1',
        prepare: found,
        locate: found,
      }),
    async submit(launcher, token, deed) {
      const result = await launcher.submit(specFor(deed), launchToken(token), (event) => events.push(event));
      if (!result.ok) throw new Error(result.fault.message);
      return { token: launchToken(token), handle: result.handle };
    },
    said: (token) => {
      try {
        return readFileSync(path.join(root, 'jobs', token, 'said'), 'utf8')
          .trim()
          .split('\n');
      } catch {
        return []; // not started yet
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export const specFor = (deed: string): LaunchSpec => ({
  hubUrl: 'http://127.0.0.1:3000',
  agentToken: SECRET,
  name: "anna's run",
  labels: [],
  runId: deed,
});

export async function statusOf(launcher: SlurmLauncher, launched: Launched): Promise<LaunchStatus> {
  return (await launcher.list([launched])).find(({ token }) => token === launched.token)!;
}

/** Waits until the launcher says so of the job. */
export async function untilStatus(
  launcher: SlurmLauncher,
  launched: { token: LaunchToken; handle: string },
  wanted: object,
  timeout = 20_000,
): Promise<LaunchStatus> {
  await expect.poll(() => statusOf(launcher, launched), { timeout, interval: 200 }).toMatchObject(wanted);
  return statusOf(launcher, launched);
}
