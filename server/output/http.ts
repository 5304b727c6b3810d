/** The address of a run's log, for the hub's table of routes. */
import type { Route } from '../http/routes.ts';
import { downloadLog } from './download-log.ts';

export const logRoutes: Route[] = [
  {
    methods: ['GET', 'HEAD'],
    path: '/api/runs/:runId/log',
    access: { kind: 'member', role: 'viewer' },
    handle: downloadLog,
  },
];
