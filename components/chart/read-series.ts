import type { ChartReply, ChartRequest } from '@mealtable/protocol/chart-data';
import { decodeChart } from '@mealtable/protocol/chart-wire';
import { goToSignIn } from '../go-to-sign-in';
import { shareHeaders } from '../share/share-secret';

/** A refusal, in the form that `describeError` and `readErrorCode` read. */
class ChartFault extends Error {
  readonly data: { httpStatus: number };
  constructor(httpStatus: number, message: string) {
    super(message);
    this.data = { httpStatus };
  }
}

/**
 * The series of a chart, as the procedure `charts.series` gives them but in bytes, which a page reads without a pause.
 * @param signal the chart that asked is gone
 * @throws what the hub answered instead, for `describeError`
 */
export async function readSeries(
  request: Omit<ChartRequest, 'from' | 'to'> & Partial<ChartRequest>,
  signal?: AbortSignal,
): Promise<ChartReply> {
  const reply = await fetch('/api/charts/series', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...shareHeaders() },
    body: JSON.stringify(request),
    signal,
  });
  if (reply.ok) return decodeChart(await reply.arrayBuffer());
  if (reply.status === 401) goToSignIn();
  const fault = (await reply.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new ChartFault(reply.status, fault?.error?.message ?? `The hub answered ${reply.status}.`);
}
