'use client';
import { ChevronRight } from 'lucide-react';
import { memo, useId } from 'react';
import { Button } from '../ui/button';
import { cn } from '../ui/cn';
import { type ChartFactor, facetsOf, type LineGroup } from './chart-groups';
import { type MetricGroup, nameInSection } from './group-metrics';
import { type ChartContext, MetricChart } from './metric-chart';

/** Charts of a section that are on the page at once; a section of thousands is turned through. */
const PAGE = 12;

export interface SectionContext extends ChartContext {
  factors: readonly ChartFactor[];
}

interface ChartSectionProps extends SectionContext {
  section: MetricGroup;
  isOpen: boolean;
  onToggle: () => void;
}

export const ChartSection = memo(function ChartSection(props: ChartSectionProps) {
  const { section, isOpen, onToggle, groups, factors, view, change } = props;
  const id = useId();
  const pages = Math.ceil(section.metrics.length / PAGE);
  const page = Math.min(view.pages[section.section] ?? 1, pages);
  const turn = (to: number) => {
    const { [section.section]: _, ...others } = view.pages;
    change({ pages: to === 1 ? others : { ...others, [section.section]: to } });
  };
  const facets = facetsOf(groups, factors, view.facet);
  return (
    <section aria-labelledby={id}>
      <div className="mb-2 flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1">
        <h3 id={id} className="min-w-0">
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={onToggle}
            className="inline-flex max-w-full items-center gap-1 rounded-control font-medium text-ink-2 text-xs hover:text-ink"
          >
            <ChevronRight aria-hidden className={cn('size-3.5 shrink-0 transition-transform', isOpen && 'rotate-90')} />
            <span className="truncate" title={section.title}>
              {section.title}
            </span>
            <span className="num font-normal text-ink-3">{section.metrics.length.toLocaleString('en')}</span>
          </button>
        </h3>
        {isOpen && pages > 1 && (
          <nav aria-label={`Pages of ${section.title}`} className="ml-auto flex items-center gap-2 text-xs">
            <Button size="sm" disabled={page === 1} onClick={() => turn(page - 1)}>
              Previous
            </Button>
            <span className="num text-ink-3">
              {(page - 1) * PAGE + 1}–{Math.min(page * PAGE, section.metrics.length)} of{' '}
              {section.metrics.length.toLocaleString('en')}
            </span>
            <Button size="sm" disabled={page === pages} onClick={() => turn(page + 1)}>
              Next
            </Button>
          </nav>
        )}
      </div>
      {isOpen && (
        <div className="@container">
          <div className="grid @4xl:grid-cols-3 @xl:grid-cols-2 gap-3">
            {section.metrics
              .slice((page - 1) * PAGE, page * PAGE)
              .map((metric) =>
                facets.map((facet) => (
                  <FacetChart key={`${metric} ${facet ?? ''}`} {...props} metric={metric} facet={facet} />
                )),
              )}
          </div>
        </div>
      )}
    </section>
  );
});

/** The groups of a facet; the same array as long as the groups are, so that the chart is not drawn anew for nothing. */
const byFacet = new WeakMap<readonly LineGroup[], Map<string | null, LineGroup[]>>();
function groupsIn(groups: readonly LineGroup[], facet: string | null): LineGroup[] {
  const facets = byFacet.get(groups) ?? new Map<string | null, LineGroup[]>();
  byFacet.set(groups, facets);
  const known = facets.get(facet) ?? groups.filter((group) => group.facet === facet);
  facets.set(facet, known);
  return known;
}

function FacetChart(props: SectionContext & { metric: string; facet: string | null }) {
  const { metric, facet, groups, store, view, change, focused, syncKey, markedSteps } = props;
  // One by one: whatever else changes in a section must not draw its charts anew.
  return (
    <MetricChart
      metric={metric}
      name={nameInSection(metric)}
      facet={facet}
      groups={groupsIn(groups, facet)}
      store={store}
      view={view}
      change={change}
      focused={focused}
      syncKey={syncKey}
      markedSteps={markedSteps}
    />
  );
}
