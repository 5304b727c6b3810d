import { MissingShare } from '@/components/share/missing-share';
import { ShareShell } from '@/components/share/share-shell';

export default function ShareNotFound() {
  return (
    <ShareShell isLive={false}>
      <MissingShare />
    </ShareShell>
  );
}
