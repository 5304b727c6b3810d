/** Signing in and out. Of better-auth's many endpoints only those of the routes table can be reached. */
import { CLIENT_ADDRESS_HEADER } from '../auth/auth.ts';
import { identifyMember } from '../auth/identify.ts';
import { clientAddress } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import { sendResponse, toRequest } from './fetch-bridge.ts';

const MAX_BODY_BYTES = 10_000;

export async function dispatchAuth(exchange: Exchange): Promise<void> {
  const { hub, req, res, secure } = exchange;
  const request = await toRequest(exchange, MAX_BODY_BYTES, { [CLIENT_ADDRESS_HEADER]: clientAddress(hub.env, req) });
  await sendResponse(res, await hub.auth.handle(request, secure));
}

/** Closes the live sockets of the session, too. */
export async function dispatchSignOut(exchange: Exchange): Promise<void> {
  const { hub, req, secure } = exchange;
  const { member } = await identifyMember(hub, { cookie: req.headers.cookie }, secure);
  await dispatchAuth(exchange);
  if (member) hub.bus.emit('access:changed', { credentialId: member.credentialId });
}

/** A one-time link: signs in and goes on to the page that asks for a password, or home when there is one. */
export async function dispatchSignInLink({ hub, req, res, url, secure }: Exchange): Promise<void> {
  const token = url.searchParams.get('token') ?? '';
  const headers = new Headers({ 'user-agent': req.headers['user-agent'] ?? '' });
  const used = await hub.auth.spendSignInToken(token, headers, secure);
  for (const cookie of used?.setCookies ?? []) res.appendHeader('Set-Cookie', cookie);
  res.statusCode = 302;
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Location', used ? await firstPage(hub, used.userId) : '/sign-in?error=link');
  res.end();
}

async function firstPage(hub: Exchange['hub'], userId: string): Promise<string> {
  const account = await hub.db.account.findFirst({ where: { userId, password: { not: null } } });
  return account ? '/' : '/welcome';
}
