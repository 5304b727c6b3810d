import { Compass } from 'lucide-react';
import { Shell } from '@/components/shell/shell';
import { ButtonLink } from '@/components/ui/button';
import { EmptyState } from '@/components/ui/empty-state';

export default function NotFound() {
  return (
    <Shell>
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={Compass}
        title="There is no such page"
        actions={
          <ButtonLink href="/" variant="primary">
            To the studies
          </ButtonLink>
        }
      >
        The address may be mistyped, or what was here has been deleted.
      </EmptyState>
    </Shell>
  );
}
