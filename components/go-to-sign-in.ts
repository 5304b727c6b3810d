import { readShareSecret } from './share/share-secret';

/** Leaves for the sign-in page and comes back to this one afterwards. */
export function goToSignIn(): void {
  const here = window.location.pathname + window.location.search;
  // Nobody signs in to see what a share link shows; its page says what became of the link.
  if (window.location.pathname === '/sign-in' || readShareSecret() !== null) return;
  window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}

/** Stands for this site: any other origin shows that a link leads away from it. */
const HERE = 'http://here.invalid';

/** @returns `next` when it is a path of this site, otherwise the front page: a link must not lead elsewhere. */
export function safeNextPath(next: string | null | undefined): string {
  if (!next?.startsWith('/')) return '/';
  // Read as the browser will: it drops tabs and takes backslashes for slashes.
  const url = URL.canParse(next, HERE) ? new URL(next, HERE) : null;
  if (url?.origin !== HERE || url.pathname.startsWith('/sign-in')) return '/';
  return url.pathname + url.search;
}
