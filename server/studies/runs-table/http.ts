/** The address of the runs table's export, for the hub's table of routes. */
import type { Route } from '../../http/routes.ts';
import { downloadRuns } from './export-csv.ts';

export const runsTableRoutes: Route[] = [
  {
    methods: ['GET', 'HEAD'],
    path: '/api/studies/:studyId/runs.csv',
    access: { kind: 'member', role: 'viewer' },
    handle: downloadRuns,
  },
];
