import type { Metadata } from 'next';
import { headers } from 'next/headers';
import { notFound } from 'next/navigation';
import { ShareShell } from '@/components/share/share-shell';
import { StudyView } from '@/components/study/study-view';

export const metadata: Metadata = { title: 'Shared study', referrer: 'no-referrer' };

/** The hub has looked at the secret and tells whose study it opens. */
export default async function SharePage() {
  const studyId = (await headers()).get('x-mealtable-shared-study');
  if (!studyId) notFound();
  return (
    <ShareShell isLive>
      <StudyView id={studyId} />
    </ShareShell>
  );
}
