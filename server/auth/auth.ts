/** Sessions, passwords and one-time links: better-auth over the hub's own tables. Sign-up does not exist. */
import { LINK_PASSWORD_MINUTES, SIGN_IN_LINK_HOURS } from '@mealtable/protocol/tunables';
import { prismaAdapter } from 'better-auth/adapters/prisma';
import { type BetterAuthOptions, betterAuth } from 'better-auth/minimal';
import { magicLink } from 'better-auth/plugins/magic-link';
import { z } from 'zod';
import type { PrismaClient } from '../db.ts';

export const MIN_PASSWORD_LENGTH = 10;
/** Set by the hub on every request it hands to better-auth, from the connection itself: clients cannot choose it. */
export const CLIENT_ADDRESS_HEADER = 'x-mealtable-client-address';

export interface SessionOwner {
  sessionId: string;
  userId: string;
  name: string;
  email: string;
  role: string;
}
export interface HubAuth {
  /** Answers a request below /api/auth. @param secure the browser is on https, so cookies are bound to it */
  handle(request: Request, secure: boolean): Promise<Response>;
  /** @returns whose session the cookie names (null: none), and cookies to send back when the session was renewed */
  readSession(headers: Headers, secure: boolean): Promise<{ owner: SessionOwner | null; setCookies: string[] }>;
  /** Makes the one link that signs this member in, once. Earlier links of the member stop working. */
  createSignInToken(email: string): Promise<{ token: string; expiresAt: Date }>;
  /** Uses a link's token up. @returns whose it was and the new session's cookies, or null when unknown, used or expired */
  spendSignInToken(
    token: string,
    headers: Headers,
    secure: boolean,
  ): Promise<{ userId: string; setCookies: string[] } | null>;
  /** The session was opened by a one-time link a short while ago: its holder has just proved who they are. */
  isFreshLinkSession(sessionId: string): boolean;
  hashPassword(password: string): Promise<string>;
  verifyPassword(hash: string, password: string): Promise<boolean>;
}

export interface AuthSettings {
  db: PrismaClient;
  secret: string;
  now: () => Date;
}

const SignedIn = z.object({ user: z.object({ id: z.string() }), session: z.object({ id: z.string() }) });

type Deliver = (token: string) => void;

function createBetterAuth({ db, secret }: AuthSettings, secure: boolean) {
  return betterAuth({
    appName: 'Mealtable',
    // Links are built by the hub itself; this only fixes the scheme.
    baseURL: secure ? 'https://mealtable.invalid' : 'http://mealtable.invalid',
    basePath: '/api/auth',
    secret,
    database: prismaAdapter(db, { provider: 'postgresql', transaction: true }),
    // The gate has checked Host and Origin before a request comes here, and made the request's address from them.
    trustedOrigins: (request) => (request ? [request.headers.get('origin'), new URL(request.url).origin] : []),
    emailAndPassword: { enabled: true, disableSignUp: true, minPasswordLength: MIN_PASSWORD_LENGTH },
    user: { additionalFields: { role: { type: 'string', input: false } } },
    session: { expiresIn: 30 * 86_400, updateAge: 86_400 },
    // Ten tries a minute from one address: no burden to a person, useless for guessing.
    rateLimit: { enabled: true, storage: 'memory', customRules: { '/sign-in/email': { window: 60, max: 10 } } },
    plugins: [
      magicLink({
        disableSignUp: true,
        storeToken: 'hashed',
        expiresIn: SIGN_IN_LINK_HOURS * 3600,
        sendMagicLink: ({ token, metadata }) => (metadata as { deliver: Deliver }).deliver(token),
      }),
    ],
    advanced: {
      cookiePrefix: 'mealtable',
      useSecureCookies: secure,
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
    },
    telemetry: { enabled: false },
    logger: { level: 'error' },
  } satisfies BetterAuthOptions);
}

/** One instance per scheme: a cookie marked Secure would be lost on http, one without it exposed on https. */
export function createAuth(settings: AuthSettings): HubAuth {
  const plain = createBetterAuth(settings, false);
  const secured = createBetterAuth(settings, true);
  const of = (secure: boolean) => (secure ? secured : plain);
  // In memory: whoever is cut off by a restart of the hub asks for another link.
  const linkSessions = new Map<string, number>();
  return {
    handle: (request, secure) => of(secure).handler(request),

    async readSession(headers, secure) {
      const { headers: reply, response } = await of(secure).api.getSession({ headers, returnHeaders: true });
      if (!response) return { owner: null, setCookies: [] };
      const { session, user } = response;
      const owner = {
        sessionId: session.id,
        userId: user.id,
        name: user.name,
        email: user.email,
        role: (user as { role?: string | null }).role ?? 'viewer',
      };
      return { owner, setCookies: reply.getSetCookie() };
    },

    async createSignInToken(email) {
      // The value that better-auth stores with a link, so this finds the member's earlier ones.
      await settings.db.verification.deleteMany({ where: { value: JSON.stringify({ type: 'magic-link', email }) } });
      let token: string | undefined;
      const deliver: Deliver = (made) => {
        token = made;
      };
      await plain.api.signInMagicLink({ body: { email, metadata: { deliver } }, headers: new Headers() });
      if (token === undefined) throw new Error('better-auth made no sign-in link.');
      return { token, expiresAt: new Date(settings.now().getTime() + SIGN_IN_LINK_HOURS * 3_600_000) };
    },

    async spendSignInToken(token, headers, secure) {
      const reply = await of(secure).api.magicLinkVerify({ query: { token }, headers, asResponse: true });
      if (!reply.ok) return null;
      const { user, session } = SignedIn.parse(await reply.json());
      const now = settings.now().getTime();
      for (const [id, endsAt] of linkSessions) if (endsAt < now) linkSessions.delete(id);
      linkSessions.set(session.id, now + LINK_PASSWORD_MINUTES * 60_000);
      return { userId: user.id, setCookies: reply.headers.getSetCookie() };
    },

    isFreshLinkSession: (sessionId) => (linkSessions.get(sessionId) ?? 0) > settings.now().getTime(),

    hashPassword: async (password) => (await plain.$context).password.hash(password),
    verifyPassword: async (hash, password) => (await plain.$context).password.verify({ hash, password }),
  };
}
