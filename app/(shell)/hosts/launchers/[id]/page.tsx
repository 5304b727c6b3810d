import type { Metadata } from 'next';
import { LauncherPage } from '@/components/launcher/launcher-page';

export const metadata: Metadata = { title: 'Launcher' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <LauncherPage id={(await params).id} />;
}
