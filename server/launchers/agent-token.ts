/** The agent token of a launcher: all that it starts shows the same one, so its hosts are known as its own, and go with it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findAgentToken, storeToken } from '../auth/tokens.ts';
import type { Hub } from '../context.ts';

type TokenHub = Pick<Hub, 'db' | 'ids' | 'now' | 'env'>;

const fileOf = ({ env }: TokenHub, launcherId: string) => path.join(env.dataDir, 'launchers', launcherId);

/** Made once; made again when somebody revoked it or the database is another one. */
export async function provideLauncherToken(hub: TokenHub, { id, name }: { id: string; name: string }): Promise<string> {
  const file = fileOf(hub, id);
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  if (known !== null && (await findAgentToken(hub, known))) return known;
  const { id: tokenId, token } = await storeToken(hub, { kind: 'agent', label: `Launcher ${name}` }, null);
  await hub.db.token.update({ where: { id: tokenId }, data: { launcherId: id } });
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

export function forgetLauncherToken(hub: Pick<TokenHub, 'env'>, launcherId: string): void {
  rmSync(fileOf(hub as TokenHub, launcherId), { force: true });
}
