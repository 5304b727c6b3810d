/** Addresses of checkpoint files, for the hub's table of routes. */
import type { Route } from '../http/routes.ts';
import { downloadCheckpointFile, downloadModel, getBlob, headBlob, putBlob } from './handlers.ts';

/** For agents: files by hash. */
export const blobRoutes: Route[] = [
  {
    methods: ['HEAD', 'GET', 'PUT'],
    path: '/api/agent/blobs/:sha256',
    access: { kind: 'agent' },
    handle(exchange) {
      if (exchange.req.method === 'PUT') return putBlob(exchange);
      return exchange.req.method === 'HEAD' ? headBlob(exchange) : getBlob(exchange);
    },
  },
];

/** For members and programs: files of checkpoints by name. */
export const downloadRoutes: Route[] = [
  {
    methods: ['GET', 'HEAD'],
    path: '/api/checkpoints/:checkpointId/:file',
    access: { kind: 'member', role: 'viewer' },
    handle: downloadCheckpointFile,
  },
  {
    methods: ['GET', 'HEAD'],
    path: '/api/runs/:runId/:which/model.safetensors',
    access: { kind: 'member', role: 'viewer' },
    handle: downloadModel,
  },
];
