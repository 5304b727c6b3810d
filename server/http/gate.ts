/** The one way in: every HTTP request is checked here and handed to its route, or refused. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { AppError } from '@mealtable/protocol/errors';
import { identifyAgent, identifyMember, readBearer } from '../auth/identify.ts';
import { hasRole } from '../auth/roles.ts';
import type { Hub } from '../context.ts';
import { DATABASE_DOWN, isDatabaseDown } from '../database-down.ts';
import { hideSecret } from '../shares/hide-secret.ts';
import { identifyVisitor, isShareSecret } from '../shares/identify-visitor.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import { clientAddress } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import { isPlainPath, matchPath } from './match-path.ts';
import { INTERNAL_FAULT, type Refusal, refuse } from './refuse.ts';
import type { Route } from './routes.ts';
import { setSecurityHeaders } from './security-headers.ts';

export interface GateOptions {
  hub: Hub;
  hosts: AllowedHosts;
  routes: Route[];
}

export function createGate(options: GateOptions): RequestListener {
  return (req, res) => {
    pass(options, req, res).catch((error: unknown) => answerFault(req, res, error));
  };
}

function answerFault(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  const pathname = (req.url ?? '/').split('?', 1)[0] ?? '/';
  const isDown = isDatabaseDown(error);
  if (!(error instanceof AppError))
    console.error(`${req.method} ${hideSecret(pathname)} failed:`, isDown ? DATABASE_DOWN : error);
  if (res.headersSent) res.destroy();
  else if (error instanceof AppError) refuse(res, pathname, error);
  else if (isDown) refuse(res, pathname, { code: 'unavailable', message: DATABASE_DOWN });
  else refuse(res, pathname, { code: 'internal', message: INTERNAL_FAULT });
}

async function pass({ hub, hosts, routes }: GateOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  setSecurityHeaders(res);
  const pathname = (req.url ?? '').split('?', 1)[0] ?? '';
  const unfit = checkAddress(hosts, req, pathname);
  if (unfit) return refuse(res, pathname, unfit);

  const secure = hosts.isSecure(req.headers);
  const url = new URL(req.url ?? '/', `${secure ? 'https' : 'http'}://${req.headers.host}`);
  const found = findRoute(routes, url);
  if (!found) return refuse(res, pathname, { code: 'not_found', message: `There is nothing at ${pathname}.` });
  const { route, params } = found;
  const exchange: Exchange = { hub, req, res, url, params, member: null, visitor: null, agent: null, secure };

  const refusal = checkForm(hosts, route, req) ?? (await admit(exchange, route));
  if (!refusal) return route.handle(exchange);
  if (refusal.code === 'unauthenticated' && route.isPage && isRead(req)) return sendToSignIn(res, url);
  if (refusal.code === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer');
  refuse(res, pathname, refusal);
}

function findRoute(routes: Route[], url: URL) {
  for (const route of routes) {
    const params = matchPath(route.path, url.pathname);
    if (params && (route.when?.(url) ?? true)) return { route, params };
  }
  return null;
}

/** The name that the hub was asked by, and an address that can be read in one way only. */
function checkAddress(hosts: AllowedHosts, req: IncomingMessage, pathname: string): Refusal | null {
  if (!hosts.allowsHost(req.headers.host)) {
    const message = `This hub does not answer to the name "${req.headers.host ?? ''}". Use the address it prints, or set MEALTABLE_ORIGIN.`;
    return { code: 'wrong_host', message };
  }
  return isPlainPath(pathname)
    ? null
    : { code: 'bad_request', message: 'The path has parts that this hub does not accept.' };
}

const isRead = ({ method }: IncomingMessage) => method === 'GET' || method === 'HEAD';

/** Method, origin and kind of body: before anybody is asked who they are. */
function checkForm(hosts: AllowedHosts, route: Route, req: IncomingMessage): Refusal | null {
  if (!(route.methods as readonly string[]).includes(req.method ?? ''))
    return { code: 'method_not_allowed', message: `Use ${route.methods.join(' or ')} here.` };
  if (isRead(req)) return null;
  if (!hosts.allowsOrigin(req.headers))
    return {
      code: 'forbidden',
      message: `The page ${req.headers.origin ?? ''} may not send this. Open the hub by the address it prints.`,
    };
  if (route.json && !/^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? ''))
    return { code: 'unsupported_media_type', message: 'Send JSON, with Content-Type: application/json.' };
  return null;
}

/** Finds out who asks and whether they may; notes it in the exchange. */
async function admit(exchange: Exchange, { access }: Route): Promise<Refusal | null> {
  const { hub, req, res, secure } = exchange;
  switch (access.kind) {
    case 'open':
      return null;
    case 'agent':
      exchange.agent = await identifyAgent(hub, readBearer(req.headers));
      return exchange.agent
        ? null
        : { code: 'unauthenticated', message: 'Send a valid agent token as Authorization: Bearer.' };
    case 'share-page': {
      // A secret that opens nothing gets a page, too, which says so.
      const refusal = await admitVisitor(exchange, exchange.params.secret ?? '');
      return refusal?.code === 'unauthenticated' ? null : refusal;
    }
    case 'member-or-visitor':
    case 'member': {
      const shown = readBearer(req.headers);
      if (access.kind === 'member-or-visitor' && isShareSecret(shown)) return admitVisitor(exchange, shown);
      const { member, setCookies } = await identifyMember(hub, req.headers, secure);
      for (const cookie of setCookies) res.appendHeader('Set-Cookie', cookie);
      exchange.member = member;
      if (!member)
        return { code: 'unauthenticated', message: 'Sign in, or send a program token as Authorization: Bearer.' };
      return hasRole(member.role, access.role)
        ? null
        : { code: 'forbidden', message: `This needs the role ${access.role}; yours is ${member.role}.` };
    }
  }
}

/** @returns null when the secret is a link's */
async function admitVisitor(exchange: Exchange, secret: string): Promise<Refusal | null> {
  const { hub, req } = exchange;
  const visitor = await identifyVisitor(hub, secret, clientAddress(hub.env, req));
  if (visitor === 'blocked')
    return {
      code: 'too_many_tries',
      message: 'Too many links that open nothing came from this address. Wait a minute.',
    };
  exchange.visitor = visitor;
  return visitor ? null : { code: 'unauthenticated', message: 'This link shows nothing, or nothing any more.' };
}

function sendToSignIn(res: ServerResponse, url: URL) {
  const next = new URLSearchParams(url.search);
  next.delete('_rsc'); // Next's own mark on requests for a part of a page
  const query = next.toString();
  res.statusCode = 302;
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Location', `/sign-in?next=${encodeURIComponent(url.pathname + (query ? `?${query}` : ''))}`);
  res.end();
}
