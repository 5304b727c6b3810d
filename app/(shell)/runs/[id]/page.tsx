import type { Metadata } from 'next';
import { firstParam, type SearchParams } from '@/components/first-param';
import { RunView } from '@/components/run/run-view';

export const metadata: Metadata = { title: 'Run' };

export default async function RunPage({
  params,
  searchParams,
}: {
  params: Promise<{ id: string }>;
  searchParams: Promise<SearchParams>;
}) {
  return <RunView id={(await params).id} initialTab={firstParam((await searchParams).tab)} />;
}
