import { FACTOR_WORDS } from '@mealtable/protocol/factor-levels';
import type { InteractingLevel, InteractionEffect } from '@mealtable/protocol/views';
import { useMemo } from 'react';
import { Table } from '../ui/table';
import { EffectRow } from './effect-row';
import { effectScale } from './effect-scale';
import { EffectsHead } from './effects-section';

const named = ({ factor, level }: InteractingLevel) => `${FACTOR_WORDS[factor]} ${level}`;

interface InteractionRowsProps {
  interactions: readonly InteractionEffect[];
  decimals: number;
}

/** Differences of differences: nothing where both factors act by themselves. */
export function InteractionRows({ interactions, decimals }: InteractionRowsProps) {
  const scale = useMemo(() => effectScale(interactions.map(({ difference }) => difference)), [interactions]);
  return (
    <div className="mt-2">
      <Table label="Interactions of two factors">
        <EffectsHead scale={scale} first="Levels" />
        <tbody>
          {interactions.map(({ factors: [a, b], difference }) => {
            const levels = `${named(a)} × ${named(b)}`;
            const against = `${a.reference} × ${b.reference}`;
            return (
              <EffectRow
                key={levels}
                name={`${levels} against ${against}`}
                level={levels}
                against={against}
                difference={difference}
                scale={scale}
                decimals={decimals}
              />
            );
          })}
        </tbody>
      </Table>
    </div>
  );
}
