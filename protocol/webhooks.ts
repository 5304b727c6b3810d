/** Webhooks: what an owner sets, what the settings page shows, and what is sent. */
import { z } from 'zod';
import { type EventKind, ToldKind } from './events.ts';
import { WebhookId } from './ids.ts';
import type { DeliveryStatus } from './statuses.ts';

const HTTP_ONLY = 'Give a whole address that starts with https:// or http://.';

/** A label, an address and the kinds of events that are told. */
export const NewWebhook = z.strictObject({
  label: z.string().trim().min(1, 'Give the webhook a label.').max(100, 'A label has at most 100 characters.'),
  url: z
    .string()
    .trim()
    .max(2_000, 'An address has at most 2,000 characters.')
    .superRefine((text, check) => {
      const problem = findUrlProblem(text);
      if (problem !== null) check.addIssue({ code: 'custom', message: problem });
    }),
  kinds: z
    .array(ToldKind)
    .min(1, 'Choose at least one kind of event.')
    .transform((kinds) => [...new Set(kinds)]),
  /** Whether the address may be one of this machine or of a private network. */
  allowsPrivate: z.boolean().default(false),
  enabled: z.boolean().default(true),
});
export type NewWebhook = z.infer<typeof NewWebhook>;
export const WebhookChange = NewWebhook.extend({ id: WebhookId, allowsPrivate: z.boolean(), enabled: z.boolean() });
export type WebhookChange = z.infer<typeof WebhookChange>;

function findUrlProblem(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return HTTP_ONLY;
  if (url.username !== '' || url.password !== '')
    return 'Leave name and password out of the address: receivers know the hub by its signature.';
  return null;
}

export interface WebhookView {
  id: string;
  label: string;
  url: string;
  kinds: EventKind[];
  allowsPrivate: boolean;
  enabled: boolean;
  createdAt: number;
  createdBy: string | null;
  /** Of its deliveries that are kept. */
  counts: Record<DeliveryStatus, number>;
  /** The newest delivery that was tried. */
  last: Pick<DeliveryView, 'status' | 'lastStatus' | 'lastError'> | null;
}
export interface DeliveryView {
  eventId: number;
  kind: EventKind;
  /** When the event happened. */
  at: number;
  studyName: string | null;
  status: DeliveryStatus;
  tries: number;
  /** Null unless it is pending. */
  nextTryAt: number | null;
  /** HTTP status of the last try; null where none came. */
  lastStatus: number | null;
  lastError: string | null;
  deliveredAt: number | null;
}

/** The body of a delivery. */
export interface WebhookPayload {
  /** EventKind. */
  type: string;
  /** When it happened, ISO 8601 in UTC. */
  timestamp: string;
  /** For people; chat services show it as the message. */
  text: string;
  data: {
    eventId: number;
    /** Null where the event is of no study. */
    study: { id: string; name: string; url: string } | null;
    run: { id: string; url: string } | null;
    host: { id: string } | null;
    /** What the kind has to say of itself: EventDetail without its kind. */
    detail: Record<string, unknown>;
  };
}
