'use client';
import { Badge } from '../../ui/badge';
import { useStudyForm } from './form-context';

/** In a one-at-a-time design the first level of a factor is the base; any other can be made it. */
export function BaseMark({ index, name, onMakeBase }: { index: number; name: string; onMakeBase: () => void }) {
  const { draft, existing } = useStudyForm();
  if (draft.design !== 'one-at-a-time') return null;
  if (index === 0) return <Badge className="ml-2 h-4 px-1.5">base</Badge>;
  if (existing) return null;
  return (
    <button
      type="button"
      aria-label={`Make ${name} the base`}
      onClick={onMakeBase}
      className="ml-2 rounded px-1 text-2xs text-ink-3 underline decoration-dotted underline-offset-2 hover:text-ink"
    >
      make base
    </button>
  );
}
