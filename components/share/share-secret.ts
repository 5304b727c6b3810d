const PATH = /^\/share\/([^/]+)$/;

/** @returns the secret of the share link that is open, or null on every other page. Known in browsers only. */
export function readShareSecret(): string | null {
  if (typeof window === 'undefined') return null;
  const secret = window.location.pathname.match(PATH)?.[1];
  return secret === undefined ? null : decodeURIComponent(secret);
}

/** What requests of a page show: its link's secret, or nothing, where the session's cookie speaks for it. */
export function shareHeaders(): Record<string, string> {
  const secret = readShareSecret();
  return secret === null ? {} : { authorization: `Bearer ${secret}` };
}
