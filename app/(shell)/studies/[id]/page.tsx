import type { Metadata } from 'next';
import { StudyView } from '@/components/study/study-view';

export const metadata: Metadata = { title: 'Study' };

export default async function StudyPage({ params }: { params: Promise<{ id: string }> }) {
  return <StudyView id={(await params).id} />;
}
