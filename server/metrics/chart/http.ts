import { ChartRequest } from '@mealtable/protocol/chart-data';
import { encodeChart } from '@mealtable/protocol/chart-wire';
import { AppError } from '@mealtable/protocol/errors';
import type { Exchange } from '../../http/exchange.ts';
import { readBody } from '../../http/fetch-bridge.ts';
import type { Route } from '../../http/routes.ts';
import { requireWithinShare } from '../../shares/scope.ts';
import { readChart } from './read-chart.ts';

const MAX_REQUEST_BYTES = 100_000;

/** The same as the procedure `charts.series`, with an answer in bytes instead of JSON: see protocol/chart-wire.ts. */
export const chartRoutes: Route[] = [
  {
    methods: ['POST'],
    path: '/api/charts/series',
    access: { kind: 'member-or-visitor', role: 'viewer' },
    json: true,
    handle: sendChart,
  },
];

async function sendChart({ hub, req, res, visitor }: Exchange): Promise<void> {
  const request = ChartRequest.safeParse(parseJson(await readBody(req, MAX_REQUEST_BYTES)));
  if (!request.success) {
    const issue = request.error.issues[0]!;
    throw new AppError('invalid', `${issue.path.join('.') || 'The request'}: ${issue.message}`);
  }
  if (visitor) await requireWithinShare(hub.pool, visitor, { runIds: request.data.runs });
  const bytes = encodeChart(await readChart(hub.pool, request.data));
  res.setHeader('Content-Type', 'application/octet-stream');
  res.setHeader('Cache-Control', 'no-store');
  res.end(bytes);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AppError('invalid', 'The request is not JSON.');
  }
}
