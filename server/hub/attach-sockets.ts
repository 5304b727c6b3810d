/** Both namespaces on the hub's socket.io server. Guard them first (http/guard-sockets.ts). */
import type { Server } from 'socket.io';
import type { Hub } from '../context.ts';
import { type AgentSockets, attachAgentSockets } from './agent-socket.ts';
import { attachLiveSockets } from './live-socket.ts';

/** Close it before the socket.io server: `stopGranting` as soon as the hub is asked to end. */
export function attachSockets(io: Server, hub: Hub): AgentSockets {
  const agents = attachAgentSockets(io, hub);
  const detachLive = attachLiveSockets(io, hub);
  return {
    stopGranting: agents.stopGranting,
    close() {
      agents.close();
      detachLive();
    },
  };
}
