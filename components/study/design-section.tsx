'use client';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import { memo, useMemo } from 'react';
import { plural } from '../format';
import { Section } from '../ui/panel';
import { designConstants, designFactors } from './design-facts';

const DESIGN_SENTENCES: Record<StudyOverview['design']['design'], string> = {
  'full-factorial': 'Every combination of the levels is trained.',
  'one-at-a-time': 'One factor after the other leaves its first level; the others keep theirs.',
  list: 'The variants are listed one by one.',
};

/** Factors and levels at a glance, and what all students have in common. */
export const DesignSection = memo(function DesignSection({ study }: { study: StudyOverview }) {
  const { design, runNames } = study;
  const factors = useMemo(() => designFactors(design, runNames), [design, runNames]);
  const constants = useMemo(() => designConstants(design, runNames), [design, runNames]);
  return (
    <Section
      title="Design"
      hint={`${DESIGN_SENTENCES[design.design]} ${plural(study.variantCount, 'variant')}, ${plural(study.runCount, 'run')}${
        design.baseline ? ', the student alone among them' : ''
      }.`}
    >
      <div className="grid gap-x-8 gap-y-4 rounded-panel border bg-surface p-4 lg:grid-cols-[minmax(0,1.7fr)_minmax(0,1fr)]">
        <dl className="grid content-start gap-x-4 gap-y-2.5 text-sm sm:grid-cols-[9.5rem_minmax(0,1fr)]">
          {factors.map(({ name, words, levels }) => (
            <div key={name} className="contents">
              <dt className="pt-0.5 text-ink-2">{words}</dt>
              <dd className="-mt-1.5 min-w-0 sm:mt-0">
                <ul className="flex flex-wrap gap-1.5">
                  {levels.map((level) => (
                    <li
                      key={level}
                      className={
                        levels.length > 1
                          ? 'wrap-anywhere rounded-control border border-accent-line bg-accent-soft px-2 py-0.5'
                          : 'wrap-anywhere py-0.5 text-ink'
                      }
                    >
                      {level}
                    </li>
                  ))}
                </ul>
              </dd>
            </div>
          ))}
        </dl>
        <dl className="grid content-start gap-x-4 gap-y-1.5 border-t pt-3 text-sm sm:grid-cols-[9.5rem_minmax(0,1fr)] lg:grid-cols-[7rem_minmax(0,1fr)] lg:border-t-0 lg:border-l lg:pt-0 lg:pl-6">
          {constants.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-ink-2">{name}</dt>
              <dd className="wrap-anywhere -mt-1 min-w-0 sm:mt-0">{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Section>
  );
});
