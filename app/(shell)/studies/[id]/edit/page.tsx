import type { Metadata } from 'next';
import { ExtendStudyView } from '@/components/study/form/extend-study-view';

export const metadata: Metadata = { title: 'Extend study' };

export default async function ExtendStudyPage({ params }: { params: Promise<{ id: string }> }) {
  return <ExtendStudyView id={(await params).id} />;
}
