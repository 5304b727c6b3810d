/** Leaves for the sign-in page and comes back to this one afterwards. */
export function goToSignIn(): void {
  const here = window.location.pathname + window.location.search;
  if (window.location.pathname === '/sign-in') return;
  window.location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
}

/** @returns `next` when it is a path of this site, otherwise the front page: a link must not lead elsewhere. */
export function safeNextPath(next: string | null | undefined): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.startsWith('/\\')) return '/';
  return next.startsWith('/sign-in') ? '/' : next;
}
