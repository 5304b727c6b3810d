import { Compass } from 'lucide-react';
import { Shell } from '@/components/shell/shell';
import { MissingPage } from '@/components/ui/missing-page';

export default function NotFound() {
  return (
    <Shell>
      <MissingPage icon={Compass} title="There is no such page" back={{ href: '/', words: 'To the studies' }}>
        The address may be mistyped, or what was here has been deleted.
      </MissingPage>
    </Shell>
  );
}
