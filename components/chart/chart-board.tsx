'use client';
/** All charts of a study or a run: how they are looked at, the lines' legend, and sections by the metrics' names. */
import { type ReactNode, useCallback, useEffect, useId, useMemo, useState, useSyncExternalStore } from 'react';
import { Button } from '../ui/button';
import { ErrorState } from '../ui/error-state';
import { type ChartFactor, type ChartRun, groupRuns } from './chart-groups';
import { ChartLegend } from './chart-legend';
import { ChartSection } from './chart-section';
import { ChartToolbar } from './chart-toolbar';
import { GroupControls } from './group-controls';
import { groupMetrics, type MetricGroup } from './group-metrics';
import type { SeriesStore } from './series-store';
import type { ChangeView } from './use-chart-view';
import type { ChartView } from './view-state';

/** With at most so many charts in all, sections that are not Mealtable's own are open from the start too. */
const OPEN_ALL = 40;
/** Sections that are on the page at once. */
const SECTION_PAGE = 40;
const NO_STEPS: readonly number[] = [];

interface ChartBoardProps {
  /** The same array as long as nothing that charts show of the runs has changed. */
  runs: readonly ChartRun[];
  factors: readonly ChartFactor[];
  metrics: readonly string[];
  store: SeriesStore;
  view: ChartView;
  change: ChangeView;
  /** Steps to be marked on charts of a single run. */
  markedSteps?: readonly number[];
  /** Beside the controls, such as saved views. */
  actions?: ReactNode;
}

export function ChartBoard(props: ChartBoardProps) {
  const { runs, factors, store, view, change, markedSteps = NO_STEPS, actions } = props;
  const syncKey = useId();
  const [focused, setFocused] = useState<string | null>(null);
  const [sectionLimit, setSectionLimit] = useState(SECTION_PAGE);
  const metrics = useAllMetrics(props.metrics, store);
  const error = useSyncExternalStore(
    useCallback((listener) => store.onError(listener), [store]),
    () => store.error,
    () => null,
  );
  useEffect(() => store.watch(runs.filter((run) => run.isLive).map((run) => run.id)), [store, runs]);

  const { group, color, dash, facet, hidden, search } = view;
  const isSingle = runs.length === 1;
  const groups = useMemo(
    () => groupRuns(runs, factors, { group, color, dash, facet }),
    [runs, factors, group, color, dash, facet],
  );
  const drawn = useMemo(() => groups.filter(({ key }) => !hidden.includes(key)), [groups, hidden]);
  const sections = useMemo(() => groupMetrics(metrics, search), [metrics, search]);
  const isOpen = (section: MetricGroup) =>
    search.trim() !== '' || (section.isKnown || metrics.length <= OPEN_ALL) !== view.toggled.includes(section.section);
  const toggle = (name: string) =>
    change({
      toggled: view.toggled.includes(name) ? view.toggled.filter((other) => other !== name) : [...view.toggled, name],
    });

  return (
    <>
      <ChartToolbar view={view} change={change}>
        {!isSingle && <GroupControls view={view} change={change} factors={factors} />}
        {actions}
      </ChartToolbar>
      {error ? (
        <div className="mb-3">
          <ErrorState what="A part of the curves" error={error} onRetry={() => store.retry()} />
        </div>
      ) : null}
      <div className={isSingle ? '' : 'grid gap-3 xl:grid-cols-[minmax(0,1fr)_280px]'}>
        {!isSingle && (
          <div className="xl:order-2">
            <ChartLegend groups={groups} hidden={hidden} change={change} onFocus={setFocused} />
          </div>
        )}
        <div className="min-w-0 space-y-4">
          {sections.length === 0 && <p className="py-8 text-center text-ink-3 text-sm">No chart matches “{search}”.</p>}
          {sections.slice(0, sectionLimit).map((section) => (
            <ChartSection
              key={section.section}
              section={section}
              isOpen={isOpen(section)}
              onToggle={() => toggle(section.section)}
              groups={isSingle ? colored(drawn, section.color) : drawn}
              factors={factors}
              store={store}
              view={view}
              change={change}
              focused={focused}
              syncKey={syncKey}
              markedSteps={markedSteps}
            />
          ))}
          {sections.length > sectionLimit && (
            <Button onClick={() => setSectionLimit(sectionLimit + SECTION_PAGE)}>
              Show more of {sections.length.toLocaleString('en')} sections
            </Button>
          )}
        </div>
      </div>
    </>
  );
}

/** A single run needs no colour to be told from others, so its charts have that of their section. */
const recolored = new WeakMap<
  readonly ReturnType<typeof groupRuns>[number][],
  Map<number, ReturnType<typeof groupRuns>>
>();
function colored(groups: ReturnType<typeof groupRuns>, color: number): ReturnType<typeof groupRuns> {
  const known = recolored.get(groups) ?? new Map<number, ReturnType<typeof groupRuns>>();
  recolored.set(groups, known);
  const result = known.get(color) ?? groups.map((group) => ({ ...group, color }));
  known.set(color, result);
  return result;
}

/** Those that are stored, and those that came since. */
function useAllMetrics(stored: readonly string[], store: SeriesStore): readonly string[] {
  const live = useSyncExternalStore(
    useCallback((listener) => store.onNames(listener), [store]),
    () => store.liveNames,
    () => store.liveNames,
  );
  return useMemo(() => {
    const all = new Set(stored);
    for (const name of live) all.add(name);
    return [...all];
  }, [stored, live]);
}
