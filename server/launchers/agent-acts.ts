/** What can be done with an agent that stays, on this machine or over ssh: start it or bring it up to date, stop it, look. */
import { STOP_GRACE_MS } from '@mealtable/protocol/tunables';
import type { Launched, LaunchFault } from '../launch/launcher.ts';
import { transact } from '../runs/transaction.ts';
import { agentTokenOf, type LauncherDesk } from './desk.ts';
import { pruneEvents } from './event-log.ts';
import type { LauncherRow } from './launcher-rows.ts';

/** The trainers' grace, and a moment for the agent to send what they last wrote. */
const STOP_WAIT_MS = STOP_GRACE_MS + 5_000;

/** Starts the agent, or replaces one of another version or of other settings; its trainers go on. */
export async function launchAgent(desk: LauncherDesk, row: LauncherRow, who: string): Promise<void> {
  const { events, hub } = desk;
  // Before anything is waited for: nobody may begin a second one meanwhile.
  desk.note(row.id, { task: 'launching', fault: null });
  const token = agentTokenOf(row.id);
  try {
    await pruneEvents(hub.pool, row.id);
    events.add(row.id, { step: 'launch', kind: 'begun', message: `Launch, asked for by ${who}.` });
    const launcher = await desk.open(row);
    const result = await launcher.submit(await desk.spec(row, token, null), token, desk.report(row.id));
    events.add(row.id, {
      step: 'launch',
      kind: result.ok ? 'done' : 'failed',
      message: result.ok ? 'The agent runs.' : result.fault.message,
    });
    await events.flush();
    desk.note(row.id, { fault: result.ok ? null : result.fault });
    if (result.ok) await lookAtAgent(desk, row);
  } catch (error) {
    reportBug(desk, row, 'launch', error);
  } finally {
    desk.note(row.id, { task: null });
  }
}

/** Hosts of the launcher take no more runs, then the agent ends; runs go on elsewhere from their checkpoints. */
export async function stopAgent(desk: LauncherDesk, row: LauncherRow, who: string): Promise<{ hasEnded: boolean }> {
  const { events } = desk;
  events.add(row.id, { step: 'stop', kind: 'begun', message: `Stop, asked for by ${who}.` });
  desk.note(row.id, { task: 'stopping', fault: null });
  const drained = await drainHosts(desk, row.id);
  try {
    const known = await lookAtAgent(desk, row);
    if (known?.state === 'ended') {
      events.add(row.id, { step: 'stop', kind: 'skipped', message: 'The agent had ended already.' });
      return { hasEnded: true };
    }
    if (!known || known.handle === '') {
      const message = known?.reason ?? 'Nothing is known of this agent.';
      events.add(row.id, { step: 'stop', kind: known?.wasAsked === false ? 'failed' : 'skipped', message });
      return { hasEnded: known?.wasAsked !== false };
    }
    const result = await (await desk.open(row)).stop(known, STOP_WAIT_MS);
    const hasEnded = result.ok && result.hasEnded;
    const message = result.ok
      ? hasEnded
        ? 'The agent has ended.'
        : 'The agent is still ending. Look again in a minute.'
      : result.fault.message;
    events.add(row.id, { step: 'stop', kind: hasEnded ? 'done' : 'failed', message });
    await lookAtAgent(desk, row);
    return { hasEnded };
  } catch (error) {
    reportBug(desk, row, 'stop', error);
    return { hasEnded: false };
  } finally {
    await undrainHosts(desk, drained);
    await events.flush();
    desk.note(row.id, { task: null });
  }
}

/** @returns null when it was never launched @throws nothing that the place could cause */
export async function lookAtAgent(desk: LauncherDesk, row: LauncherRow) {
  if (row.settings.kind === 'ssh' && row.settings.ssh.hostKey === undefined) return null;
  const token = agentTokenOf(row.id);
  const launched: Launched = { token, handle: '' };
  const found = (await (await desk.open(row)).list([launched])).find((status) => status.token === token) ?? null;
  const { fault } = desk.state(row.id);
  const hasTrace = found !== null && !(found.state === 'unknown' && found.wasAsked);
  const change = hasTrace ? { ...found, seenAt: desk.hub.now() } : null;
  const isHealed = found?.wasAsked === true && fault?.code === 'unreachable';
  const isOtherKey = found?.fault?.code === 'host_key_changed';
  desk.note(row.id, { agent: change, ...(isHealed ? { fault: null } : isOtherKey ? { fault: found.fault } : {}) });
  return found;
}

export function reportBug(desk: LauncherDesk, row: LauncherRow, step: string, error: unknown): void {
  console.error(`The launcher ${row.name} failed at ${step}:`, error);
  const message = error instanceof Error ? error.message : String(error);
  const fault: Pick<LaunchFault, 'message'> & { code: string } = { code: 'bug', message };
  desk.events.add(row.id, { step, kind: 'failed', message });
  desk.note(row.id, { fault });
}

async function drainHosts({ hub }: LauncherDesk, launcherId: string): Promise<string[]> {
  return transact(hub, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      'UPDATE hosts SET draining_at = now() WHERE launcher_id = $1 AND draining_at IS NULL RETURNING id',
      [launcherId],
    );
    tx.emit('hosts:changed');
    return rows.map(({ id }) => id);
  });
}

/** Only what the stop itself has drained: a host that a person drained stays so. */
async function undrainHosts({ hub }: LauncherDesk, hostIds: string[]): Promise<void> {
  await transact(hub, async (tx) => {
    await tx.query('UPDATE hosts SET draining_at = NULL WHERE id = ANY($1)', [hostIds]);
    tx.emit('hosts:changed');
  });
}
