/** Signatures by Standard Webhooks (standardwebhooks.com), so that receivers can check them with its libraries. */
import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';

/** "whsec_" and 32 random bytes in base64. */
export const makeSecret = (): string => PREFIX + randomBytes(32).toString('base64');

/**
 * @param id of the message, the same in every try @param timestamp seconds since 1970, of this try
 * @param body exactly as sent
 * @returns the headers that prove where the message comes from
 */
export function signHeaders(secret: string, id: string, timestamp: number, body: string): Record<string, string> {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}
