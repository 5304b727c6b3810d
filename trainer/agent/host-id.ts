/** The host's id: made once, kept in the state folder, the same after every restart. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HostId, makeId } from '@mealtable/protocol/ids';
import { readIfThere, writeFileAtomic } from './atomic-file.ts';
import { AGENT_EXIT, AgentExit } from './exit-codes.ts';

/** @throws {AgentExit} when the file holds something else: a new id would make the hub lose sight of this host's runs. */
export function loadHostId(stateDir: string, now: number): string {
  const path = join(stateDir, 'host-id');
  const text = readIfThere(path);
  if (text === null) {
    const id = makeId('host', now, randomBytes(12));
    writeFileAtomic(path, `${id}\n`);
    return id;
  }
  const parsed = HostId.safeParse(text.trim());
  if (parsed.success) return parsed.data;
  throw new AgentExit(
    AGENT_EXIT.stateFolder,
    `${path} does not hold a host id (hst_…): restore it, or delete it to attach this machine as a new host.`,
  );
}
