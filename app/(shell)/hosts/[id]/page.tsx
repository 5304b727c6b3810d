import type { Metadata } from 'next';
import { HostDetailView } from '@/components/host/host-detail-view';

export const metadata: Metadata = { title: 'Host' };

export default async function HostPage({ params }: { params: Promise<{ id: string }> }) {
  return <HostDetailView id={(await params).id} />;
}
