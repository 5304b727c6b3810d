import { Link2Off } from 'lucide-react';
import { EmptyState } from '../ui/empty-state';

/** In place of a study whose link was revoked, or never was one. */
export function MissingShare() {
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <EmptyState icon={Link2Off} title="This link shows nothing">
        <p>It may have been revoked, or it is not complete. Ask whoever sent it for a new one.</p>
      </EmptyState>
    </>
  );
}
