/** What the config file says becomes rows, by name, at every start. */
import { AppError } from '@mealtable/protocol/errors';
import type { LauncherSettings } from '@mealtable/protocol/launchers';
import type { HubConfig } from './config-file.ts';
import type { LauncherDesk } from './desk.ts';
import { insertLauncher, loadLaunchers, updateLauncher } from './launcher-rows.ts';

/**
 * Entries that are new or changed are written; a launcher that has left the file can be edited on the page from then on.
 * @returns one sentence for each entry that could not be applied
 */
export async function applyConfig({ hub }: LauncherDesk, { launchers }: HubConfig): Promise<string[]> {
  const rows = await loadLaunchers(hub.pool);
  const problems: string[] = [];
  for (const { name, settings } of launchers) {
    const row = rows.find((known) => known.name === name);
    try {
      if (!row) await insertLauncher(hub, { name, settings, createdById: null, fromConfig: true });
      else await updateLauncher(hub, row.id, { name, settings: keepHostKey(settings, row.settings), fromConfig: true });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push(`The launcher "${name}" of the config file: ${error.message}`);
    }
  }
  for (const row of rows)
    if (row.fromConfig && !launchers.some(({ name }) => name === row.name))
      await updateLauncher(hub, row.id, { ...row, fromConfig: false });
  return problems;
}

/** A key that a person has accepted on the page stays accepted while the file names none and the same host. */
export function keepHostKey(settings: LauncherSettings, old: LauncherSettings): LauncherSettings {
  const before = old.kind === 'local' ? null : old.ssh;
  if (settings.kind === 'local' || !settings.ssh || settings.ssh.hostKey !== undefined || !before?.hostKey)
    return settings;
  if (settings.ssh.destination !== before.destination || settings.ssh.port !== before.port) return settings;
  const ssh = { ...settings.ssh, hostKey: before.hostKey };
  return settings.kind === 'ssh' ? { ...settings, ssh } : { ...settings, ssh };
}
