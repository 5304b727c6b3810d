import { FlaskConicalOff } from 'lucide-react';
import { ButtonLink } from '../ui/button';
import { EmptyState } from '../ui/empty-state';

export function MissingStudy() {
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        icon={FlaskConicalOff}
        title="There is no such study"
        actions={
          <ButtonLink href="/" variant="primary">
            To the studies
          </ButtonLink>
        }
      >
        It may have been deleted.
      </EmptyState>
    </>
  );
}
