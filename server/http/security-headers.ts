import type { ServerResponse } from 'node:http';

const ALWAYS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Not no-referrer: browsers would then send "Origin: null" with our own requests.
  'Referrer-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};

/** Nothing that the API answers is a document: it loads nothing, runs nothing and is shown in no frame. */
export const API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

export function setSecurityHeaders(res: ServerResponse): void {
  for (const [name, value] of Object.entries(ALWAYS)) res.setHeader(name, value);
  res.setHeader('Content-Security-Policy', API_POLICY);
}

/**
 * The policy of a page: scripts only from the hub and with this request's nonce.
 * Styles may be inline, since charts and menus place themselves with style attributes.
 * @param host the Host header, checked before
 * @param dev Next's development client evaluates code
 */
export function pagePolicy(nonce: string, host: string, secure: boolean, dev: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${dev ? " 'unsafe-eval'" : ''}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self' ${secure ? 'wss' : 'ws'}://${host}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
