import type { Metadata } from 'next';
import { StudiesView } from '@/components/study/studies-view';

export const metadata: Metadata = { title: 'Studies' };

export default function StudiesPage() {
  return <StudiesView />;
}
