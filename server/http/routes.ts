/**
 * Every address the hub answers, who may ask it, and why where anybody may. What is not listed does not exist.
 * The first route that fits wins.
 */
import type { UserRole } from '@mealtable/protocol/statuses';
import { blobRoutes, downloadRoutes } from '../checkpoints/http.ts';
import { uploadRoutes } from '../checkpoints/uploads/http.ts';
import { exportRoutes } from '../exports/http.ts';
import { chartRoutes } from '../metrics/chart/http.ts';
import { metricsExportRoutes } from '../metrics/export/http.ts';
import { logRoutes } from '../output/http.ts';
import { runsTableRoutes } from '../studies/runs-table/http.ts';
import { dispatchAuth, dispatchSignInLink, dispatchSignOut } from './dispatch-auth.ts';
import { dispatchSharePage } from './dispatch-share-page.ts';
import { dispatchTrpc } from './dispatch-trpc.ts';
import type { Exchange } from './exchange.ts';
import { refuse } from './refuse.ts';

export type Access =
  | { kind: 'open'; reason: string }
  /** A session, or a program token of at least this role. */
  | { kind: 'member'; role: UserRole }
  /** The same, or whoever shows a share link's secret as a bearer token: the handler then keeps to `visitor`. */
  | { kind: 'member-or-visitor'; role: UserRole }
  /** The page of a share link, whose secret is in the path. */
  | { kind: 'share-page' }
  | { kind: 'agent' };

export interface Route {
  methods: readonly ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** For matchPath. */
  path: string;
  when?: (url: URL) => boolean;
  access: Access;
  /** The body must be declared as JSON: a foreign page cannot send that without being asked first. */
  json?: boolean;
  /** Somebody without a session is sent to sign in instead of being refused. */
  isPage?: boolean;
  handle(exchange: Exchange): Promise<void> | void;
}

/** Renders a page; what Next's request handler does. */
export type ServePage = (exchange: Exchange) => Promise<void>;

const READ = ['GET', 'HEAD'] as const;
const open = (reason: string): Access => ({ kind: 'open', reason });
const viewer: Access = { kind: 'member', role: 'viewer' };

const notFound = ({ res, url }: Exchange) =>
  refuse(res, url.pathname, { code: 'not_found', message: `There is nothing at ${url.pathname}.` });

const apiRoutes: Route[] = [
  {
    methods: READ,
    path: '/api/health',
    access: open('Start scripts and monitors ask whether the hub is up; the answer says nothing else.'),
    handle: ({ res }) => {
      res.setHeader('Content-Type', 'application/json; charset=utf-8');
      res.setHeader('Cache-Control', 'no-store');
      res.end('{"ok":true}');
    },
  },
  {
    methods: ['POST'],
    path: '/api/auth/sign-in/email',
    access: open('Where members show their password; tries are limited.'),
    json: true,
    handle: dispatchAuth,
  },
  {
    methods: ['POST'],
    path: '/api/auth/sign-out',
    access: open('Ends only the session that it is sent with.'),
    json: true,
    handle: dispatchSignOut,
  },
  // Each procedure asks for its own role on top, and says whether visitors of a share link may call it.
  {
    methods: ['GET', 'POST'],
    path: '/api/trpc/*',
    access: { kind: 'member-or-visitor', role: 'viewer' },
    json: true,
    handle: dispatchTrpc,
  },
];

const assetReason = 'The sign-in page needs its scripts, styles, fonts and icon. They are the same for everybody.';
const pageRoutes = (servePage: ServePage): Route[] => [
  {
    methods: READ,
    path: '/sign-in',
    access: open('Where members sign in.'),
    handle: servePage,
  },
  {
    methods: ['GET'],
    path: '/welcome',
    when: (url) => url.searchParams.has('token'),
    access: open('A one-time link: its token is the credential.'),
    handle: dispatchSignInLink,
  },
  { methods: READ, path: '/share/:secret', access: { kind: 'share-page' }, handle: dispatchSharePage(servePage) },
  { methods: READ, path: '/_next/static/*', access: open(assetReason), handle: servePage },
  { methods: READ, path: '/icon.svg', access: open(assetReason), handle: servePage },
  { methods: READ, path: '/favicon.ico', access: open(assetReason), handle: servePage },
];

/** Only with --dev: Next's development client reports faults and asks for sources, also from the sign-in page. */
const devRoutes = (servePage: ServePage): Route[] => {
  const access = open('Development tools, served only with --dev.');
  return [
    { methods: ['GET', 'HEAD', 'POST'], path: '/__nextjs*', access, handle: servePage },
    { methods: ['GET', 'HEAD', 'POST'], path: '/_next/*', access, handle: servePage },
  ];
};

export function createRoutes(servePage: ServePage, dev: boolean): Route[] {
  return [
    ...apiRoutes,
    ...blobRoutes,
    ...uploadRoutes,
    ...exportRoutes,
    ...downloadRoutes,
    ...logRoutes,
    ...runsTableRoutes,
    ...chartRoutes,
    ...metricsExportRoutes,
    { methods: ['GET', 'HEAD', 'POST', 'PUT'], path: '/api/*', access: viewer, handle: notFound },
    ...pageRoutes(servePage),
    ...(dev ? devRoutes(servePage) : []),
    { methods: READ, path: '/*', access: viewer, isPage: true, handle: servePage },
  ];
}
