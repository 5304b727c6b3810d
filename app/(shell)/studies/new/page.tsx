import type { Metadata } from 'next';
import { firstParam, type SearchParams } from '@/components/first-param';
import { NewStudyView } from '@/components/study/form/new-study-view';

export const metadata: Metadata = { title: 'New study' };

export default async function NewStudyPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const { from, run } = await searchParams;
  return <NewStudyView cloneOf={firstParam(from)} cloneOfRun={firstParam(run)} />;
}
