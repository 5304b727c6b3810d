import { Eye } from 'lucide-react';
import { ButtonLink } from '../../ui/button';
import { EmptyState } from '../../ui/empty-state';

/** Instead of a form whose button would be refused. */
export function ReadOnlyNotice() {
  return (
    <EmptyState
      icon={Eye}
      title="Viewers cannot change studies"
      actions={<ButtonLink href="/">To the studies</ButtonLink>}
    >
      Ask an owner to make you an editor.
    </EmptyState>
  );
}
