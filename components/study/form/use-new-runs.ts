'use client';
import { expandDesign } from '@mealtable/protocol/expand-design';
import { useMemo } from 'react';
import { useStudyForm } from './form-context';

/** Keys of the runs that an extension adds; null for a new study, where all are new. */
export function useNewRuns(): ReadonlySet<string> | null {
  const { expansion, existing, datasets, known } = useStudyForm();
  return useMemo(() => {
    if (!existing) return null;
    const dataset = datasets.find(({ name }) => name === existing.dataset);
    const before = expandDesign(existing, { classCount: dataset?.classNames.length ?? null, runs: known });
    const keysOf = (made: typeof before | null) =>
      made?.ok ? made.variants.flatMap((variant) => variant.runs.map((run) => run.key)) : [];
    const old = new Set(keysOf(before));
    return new Set(keysOf(expansion).filter((key) => !old.has(key)));
  }, [expansion, existing, datasets, known]);
}
