/**
 * @param pattern literal segments and `:names`; a `*` at the end stands for any rest, also an empty one
 * @returns the values by name (`*` is the rest), or null when the path is another
 */
export function matchPath(pattern: string, pathname: string): Record<string, string> | null {
  const params: Record<string, string> = {};
  const isPrefix = pattern.endsWith('*');
  const wanted = (isPrefix ? pattern.slice(0, -1) : pattern).split('/');
  const given = pathname.split('/');
  if (isPrefix) {
    // The last piece before the `*` may be the beginning of a segment.
    const beginning = wanted.at(-1) ?? '';
    const rest = given.slice(wanted.length - 1).join('/');
    if (given.length < wanted.length || !rest.startsWith(beginning)) return null;
    params['*'] = rest.slice(beginning.length);
    wanted.pop();
  } else if (wanted.length !== given.length) return null;
  for (const [i, piece] of wanted.entries()) {
    const value = given[i] ?? '';
    if (piece.startsWith(':') && value !== '') params[piece.slice(1)] = decodeURIComponent(value);
    else if (piece !== value) return null;
  }
  return params;
}

/**
 * Paths that another reader of the same address might take for a different one are refused as a whole: dot segments,
 * doubled or encoded separators, backslashes, encoded dots, path parameters, broken escapes.
 */
export function isPlainPath(pathname: string): boolean {
  if (/\/\/|\\|;|%(2e|2f|5c|3b|00|25)/i.test(pathname) || /(^|\/)\.{1,2}(\/|$)/.test(pathname)) return false;
  try {
    decodeURIComponent(pathname);
    return pathname.startsWith('/');
  } catch {
    return false;
  }
}
