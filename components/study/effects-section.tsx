'use client';
import { FACTOR_WORDS } from '@mealtable/protocol/factor-levels';
import { TOP1_METRIC_WORDS } from '@mealtable/protocol/top1-metrics';
import type { FactorEffects, Top1Row } from '@mealtable/protocol/views';
import { Scale } from 'lucide-react';
import { Fragment, memo, useMemo, useState } from 'react';
import { plural } from '../format';
import { Badge } from '../ui/badge';
import { Disclosure } from '../ui/disclosure';
import { EmptyState } from '../ui/empty-state';
import { Section } from '../ui/panel';
import { Table, Th } from '../ui/table';
import { Tip } from '../ui/tooltip';
import { CopyTableMenu, DownloadTableMenu } from './copy-table-menu';
import { EffectAxis } from './effect-plot';
import { EffectRow } from './effect-row';
import { type EffectScale, effectScale } from './effect-scale';
import { effectsCaption, effectsText, effectsToCsv } from './effects-export';
import { effectsFigure } from './effects-figure';
import { fileStem } from './file-stem';
import { InteractionRows } from './interaction-rows';
import { chooseEffects } from './top1-data';
import { useTableView } from './use-table-view';

const COLUMNS = 6;

interface EffectsSectionProps {
  studyName: string;
  /** As the hub sends them. */
  rows: readonly Top1Row[];
}

/** Of the metric and against the reference that the table above shows. Not drawn anew for a run's progress. */
export const EffectsSection = memo(function EffectsSection({ studyName, rows }: EffectsSectionProps) {
  const [showsInteractions, setShowsInteractions] = useState(false);
  const [{ metric, reference, decimals }] = useTableView();
  const effects = useMemo(() => chooseEffects(rows, { metric, reference }), [rows, metric, reference]);
  const { factors, interactions } = effects;
  const copy = { effects, metric, decimals };
  const files = {
    stem: `${fileStem(studyName)}-effects`,
    csv: () => effectsToCsv(copy),
    text: () => effectsText(copy),
  };
  const drawFigure = () =>
    effectsFigure(effects, { decimals, hasInteractions: showsInteractions, caption: effectsCaption(metric) });
  const scale = useMemo(
    () => effectScale(factors.flatMap(({ levels }) => levels.map(({ difference }) => difference))),
    [factors],
  );
  return (
    <Section
      title="What each factor does"
      hint={`Points of top-1 (${TOP1_METRIC_WORDS[metric].name.toLowerCase()}) against the level named: mean ± standard deviation over paired runs; interval and p of the paired t test.`}
      actions={
        factors.length > 0 && (
          <>
            <CopyTableMenu {...files} />
            <DownloadTableMenu {...files} figure={drawFigure} />
          </>
        )
      }
    >
      {factors.length === 0 ? (
        <EmptyState icon={Scale} title="Nothing is varied">
          <p>Every distilled variant has the same levels. Extend the study by a level to see what it does.</p>
        </EmptyState>
      ) : (
        <>
          <Table label="What each factor does">
            <EffectsHead scale={scale} first="Level" />
            <tbody>
              {factors.map((factor) => (
                <FactorRows key={factor.factor} factor={factor} scale={scale} decimals={decimals} />
              ))}
            </tbody>
          </Table>
          {interactions.length > 0 && (
            <div className="mt-3">
              <Disclosure
                label={`Interactions of two factors (${plural(interactions.length, 'pair')} of levels)`}
                summary="whether a level does more at one level of another factor than at another"
                isOpen={showsInteractions}
                onToggle={() => setShowsInteractions((old) => !old)}
              />
              {showsInteractions && <InteractionRows interactions={interactions} decimals={decimals} />}
            </div>
          )}
        </>
      )}
    </Section>
  );
});

function FactorRows({
  factor: { factor, reference, levels },
  scale,
  decimals,
}: {
  factor: FactorEffects;
  scale: EffectScale | null;
  decimals: number;
}) {
  const isIncomplete = levels.some(({ difference }) => difference.leftOut > 0);
  return (
    <Fragment>
      <tr>
        <th
          scope="colgroup"
          colSpan={COLUMNS}
          className="border-b bg-sunken/60 px-3 py-1.5 text-left font-semibold text-ink-2 text-xs"
        >
          {FACTOR_WORDS[factor]}
          <span className="font-normal text-ink-3"> · against {reference}</span>
          {isIncomplete && <Badge className="ml-2">Incomplete</Badge>}
        </th>
      </tr>
      {levels.map(({ level, variantPairs, difference }) => (
        <EffectRow
          key={level}
          name={`${FACTOR_WORDS[factor]} ${level} against ${reference}`}
          level={level}
          difference={difference}
          scale={scale}
          decimals={decimals}
          missing={variantPairs === 0 ? 'No two variants differ in this alone.' : undefined}
        />
      ))}
    </Fragment>
  );
}

/** The columns of effects and interactions. */
export function EffectsHead({ scale, first }: { scale: EffectScale | null; first: string }) {
  return (
    <thead>
      <tr>
        <Th>{first}</Th>
        <Th className="font-normal">{scale && <EffectAxis scale={scale} />}</Th>
        <Th align="right" className="sm:pr-[calc(7.5ch+12px)]">
          Effect
        </Th>
        <Th align="right" className="hidden md:table-cell">
          <Tip text="Holds the true effect in 19 of 20 cases. Where it holds 0, the difference may be noise.">
            <span>95 % interval</span>
          </Tip>
        </Th>
        <Th align="right" className="hidden md:table-cell">
          <Tip text="Complete pairs, of all">
            <span>n</span>
          </Tip>
        </Th>
        <Th align="right" className="hidden md:table-cell">
          <Tip text="Two-sided, of the paired t test: how often chance alone gives a difference as large">
            <span>p</span>
          </Tip>
        </Th>
      </tr>
    </thead>
  );
}
