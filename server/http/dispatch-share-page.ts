/** The page of a share link: never indexed, never kept, and its address is told to nobody. */
import type { Exchange } from './exchange.ts';
import type { ServePage } from './routes.ts';

/** Tells the page whose study it shows; empty for a secret that opens nothing. Set here on every request, so nobody else can. */
const SHARED_STUDY_HEADER = 'x-mealtable-shared-study';

export function dispatchSharePage(servePage: ServePage) {
  return async (exchange: Exchange): Promise<void> => {
    const { req, res, visitor } = exchange;
    res.setHeader('X-Robots-Tag', 'noindex, nofollow, noarchive');
    // Not same-origin, as elsewhere: the secret would stand in the log of every proxy before the hub, at every file of the page.
    res.setHeader('Referrer-Policy', 'no-referrer');
    res.setHeader('Cache-Control', 'private, no-store');
    req.headers[SHARED_STUDY_HEADER] = visitor?.studyId ?? '';
    await servePage(exchange);
  };
}
