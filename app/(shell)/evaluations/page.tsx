import type { Metadata } from 'next';
import { EvaluationsView } from '@/components/evaluation/evaluations-view';
import { firstParam, type SearchParams } from '@/components/first-param';

export const metadata: Metadata = { title: 'Evaluations' };

export default async function EvaluationsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { run, checkpoint } = await searchParams;
  const [runId, checkpointId] = [firstParam(run), firstParam(checkpoint)];
  return <EvaluationsView of={runId && checkpointId ? { runId, checkpointId } : null} />;
}
