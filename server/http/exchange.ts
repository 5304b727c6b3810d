/** One request on its way through the gate, as handlers get it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Hub, Member } from '../context.ts';
import type { ShareVisitor } from '../shares/share-rows.ts';

export interface Exchange {
  hub: Hub;
  req: IncomingMessage;
  res: ServerResponse;
  url: URL;
  /** Values of the `:names` in the route's path; `*` is the rest. */
  params: Record<string, string>;
  /** Set on routes for members. */
  member: Member | null;
  /** Set instead of the member for somebody who comes by a share link, on the routes that they may ask. */
  visitor: ShareVisitor | null;
  /** Set on routes for agents. */
  agent: { tokenId: string } | null;
  /** The browser is on https. */
  secure: boolean;
}
