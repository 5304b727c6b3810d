'use client';
import { useId } from 'react';
import { NumberInput } from '../../ui/input';
import type { TypedWeights } from './teacher-weights';

interface EnsembleWeightsProps {
  chosen: readonly { id: string; label: string }[];
  weights: TypedWeights;
  onChange: (weights: TypedWeights) => void;
}

/** What each teacher counts beside the others. */
export function EnsembleWeights({ chosen, weights, onChange }: EnsembleWeightsProps) {
  const form = useId();
  return (
    <fieldset className="mt-3 border-t pt-2">
      <legend className="sr-only">Weights</legend>
      <p className="mb-1.5 text-ink-3 text-xs">What each counts; only the ratios matter. MEAL V2 has equal weights.</p>
      {chosen.map(({ id, label }) => (
        <div key={id} className="flex items-center gap-2 py-0.5">
          <label htmlFor={`${form}-${id}`} className="min-w-0 grow truncate text-sm">
            {label}
          </label>
          <NumberInput
            id={`${form}-${id}`}
            value={weights[id] ?? '1'}
            onChange={(event) => onChange({ ...weights, [id]: event.target.value })}
            className="h-7 w-16 shrink-0"
          />
        </div>
      ))}
    </fieldset>
  );
}
