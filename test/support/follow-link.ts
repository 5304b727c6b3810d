/** Follows a one-time link. @returns the Cookie header of the new session, or null when the link was refused */
export async function followLink(link: string): Promise<string | null> {
  const reply = await fetch(link, { redirect: 'manual' });
  const cookies = reply.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]);
  return cookies.length > 0 ? cookies.join('; ') : null;
}
