import { Compass } from 'lucide-react';
import { ButtonLink } from '../ui/button';
import { EmptyState } from '../ui/empty-state';

export function MissingRun() {
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={Compass}
        title="There is no such run"
        actions={
          <ButtonLink href="/" variant="primary">
            To the studies
          </ButtonLink>
        }
      >
        It may have been deleted with its study.
      </EmptyState>
    </>
  );
}
