/** Settings to a launcher that works. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { LauncherSettings } from '@mealtable/protocol/launchers';
import { AgentLauncher, type AgentLauncherOptions } from './agent-launcher.ts';
import type { Launcher, LaunchReport, LaunchResult } from './launcher.ts';
import { buildPackage, type TrainerPackage } from './package/build-package.ts';
import { type Installation, installPackage, lookAtHost } from './package/install.ts';
import { localShell } from './shell/local-shell.ts';
import type { Shell } from './shell/shell.ts';
import { sshShell } from './shell/ssh-shell.ts';
import { SlurmLauncher } from './slurm/slurm-launcher.ts';

export interface LauncherContext extends Pick<AgentLauncherOptions, 'hasAttached' | 'now'> {
  /** Root of the project, built. */
  projectDir: string;
  /** `process.env` */
  variables: NodeJS.ProcessEnv;
}

/** @param group tells this launcher's batch jobs from all others of the account: letters, digits and dashes, 40 at most */
export function createLauncher(settings: LauncherSettings, group: string, context: LauncherContext): Launcher {
  const { installFolder, nodePath, datasetsDir, weightsDir } = settings;
  const { projectDir, variables } = context;
  const shell =
    settings.kind !== 'local' && settings.ssh !== null ? sshShell(settings.ssh, variables) : localShell(variables);
  if (settings.kind === 'slurm') {
    // The host that submits may have no GPU, and its nodes do.
    const device = settings.batch.gres?.startsWith('gpu') ? 'gpu' : null;
    return new SlurmLauncher({
      settings,
      shell,
      group,
      ...packageOn(shell, { installFolder, nodePath, device }, projectDir),
    });
  }
  const programs =
    settings.kind === 'local'
      ? ownPrograms(projectDir)
      : packageOn(shell, { installFolder, nodePath, device: null }, projectDir);
  const place = { installFolder, slots: settings.slots, datasetsDir, weightsDir };
  return new AgentLauncher({ kind: settings.kind, shell, place, ...programs, ...context });
}

type Programs = Pick<AgentLauncherOptions, 'prepare' | 'locate'>;

/** What runs the hub runs agents, too. */
function ownPrograms(projectDir: string): Programs {
  const find = async (): Promise<LaunchResult<{ installation: Installation }>> => {
    const program = path.join(projectDir, 'dist', 'agent.js');
    const version = createHash('sha256').update(readFileSync(program)).digest('hex').slice(0, 16);
    return { ok: true, installation: { root: projectDir, node: process.execPath, program, version } };
  };
  return { prepare: find, locate: find };
}

/** Packed once, and brought once: a launcher of batch jobs asks for it with every job. */
function packageOn(shell: Shell, options: Parameters<typeof lookAtHost>[2], projectDir: string): Programs {
  let built: Promise<TrainerPackage> | null = null;
  let installed: LaunchResult<{ installation: Installation }> | null = null;
  const pack = () => {
    built ??= buildPackage(projectDir);
    return built;
  };
  return {
    async prepare(report: LaunchReport) {
      if (installed?.ok) return installed;
      installed = await installPackage(shell, await pack(), options, report);
      return installed;
    },
    locate: async () => lookAtHost(shell, await pack(), options, () => {}),
  };
}
