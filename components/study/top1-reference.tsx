'use client';
import type { Top1Row } from '@mealtable/protocol/views';
import { Button } from '../ui/button';

interface ReferenceNoticeProps {
  /** As the hub sends them: with the study's own reference. */
  rows: readonly Top1Row[];
  /** The address's; null for none. */
  chosen: string | null;
  /** Absent for those who may not change it. */
  onKeep: ((variantId: string) => void) | undefined;
  onBack: () => void;
}

/** Says that the differences are to another variant than everybody else sees. */
export function ReferenceNotice({ rows, chosen, onKeep, onBack }: ReferenceNoticeProps) {
  const row = rows.find(({ variantId }) => variantId === chosen);
  if (!row || row.isReference) return null;
  return (
    <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1.5 text-ink-2 text-xs">
      <p className="min-w-0 [overflow-wrap:anywhere]">
        In this view the reference is <span className="text-ink">{row.label}</span>, not the study’s own.
      </p>
      <Button size="sm" onClick={onBack}>
        Use the study’s
      </Button>
      {onKeep && (
        <Button size="sm" onClick={() => onKeep(row.variantId)}>
          Make it the study’s
        </Button>
      )}
    </div>
  );
}
