/** Addresses of exports, for the hub's table of routes. */
import type { Access, Route } from '../http/routes.ts';
import { downloadExport, downloadRunExport, listExports, prepareExport } from './handlers.ts';
import { downloadStudyModels } from './study-download.ts';

const access: Access = { kind: 'member', role: 'viewer' };

/** To stand before the routes of checkpoint files, of which one is `/api/checkpoints/:checkpointId/:file`. */
export const exportRoutes: Route[] = [
  { methods: ['GET', 'HEAD'], path: '/api/checkpoints/:checkpointId/exports', access, handle: listExports },
  {
    methods: ['GET', 'HEAD', 'POST'],
    path: '/api/checkpoints/:checkpointId/exports/:format',
    access,
    json: true,
    handle: (exchange) => (exchange.req.method === 'POST' ? prepareExport(exchange) : downloadExport(exchange)),
  },
  { methods: ['GET', 'HEAD'], path: '/api/runs/:runId/:which/exports/:format', access, handle: downloadRunExport },
  { methods: ['GET', 'HEAD'], path: '/api/studies/:studyId/models.zip', access, handle: downloadStudyModels },
];
