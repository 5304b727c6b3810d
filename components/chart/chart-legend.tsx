'use client';
import { useTheme } from 'next-themes';
import { memo } from 'react';
import { cn } from '../ui/cn';
import type { LineGroup } from './chart-groups';
import { LineSwatch } from './line-swatch';
import type { ChangeView } from './use-chart-view';

interface ChartLegendProps {
  groups: readonly LineGroup[];
  hidden: readonly string[];
  change: ChangeView;
  /** Key of the group that is pointed at. */
  onFocus: (key: string | null) => void;
}

/** Every line's look and name, for all charts: pointing at one lets the others step back, pressing hides it. */
export const ChartLegend = memo(function ChartLegend({ groups, hidden, change, onFocus }: ChartLegendProps) {
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === 'dark' ? 'dark' : 'light';
  const toggle = (key: string, isAlone: boolean) => {
    const others = groups.filter((group) => group.key !== key).map((group) => group.key);
    if (isAlone) {
      const isAlready = hidden.length === others.length && !hidden.includes(key);
      return change({ hidden: isAlready ? [] : others });
    }
    change({ hidden: hidden.includes(key) ? hidden.filter((other) => other !== key) : [...hidden, key] });
  };
  return (
    <div className="flex max-h-44 min-h-0 min-w-0 flex-col rounded-panel border bg-surface xl:sticky xl:top-26 xl:max-h-[calc(100dvh-8rem)]">
      <div className="flex items-center justify-between border-b px-3 py-1.5 text-ink-3 text-xs">
        <span>
          <span className="num">{groups.length}</span> {groups.length === 1 ? 'line' : 'lines'}
        </span>
        {hidden.length > 0 && (
          <button
            type="button"
            onClick={() => change({ hidden: [] })}
            className="rounded-control text-accent hover:underline"
          >
            Show all
          </button>
        )}
      </div>
      <ul className="min-h-0 overflow-y-auto py-1" onMouseLeave={() => onFocus(null)}>
        {groups.map((group) => {
          const isHidden = hidden.includes(group.key);
          const whole = group.runs.filter((run) => !run.endedEarly).length;
          return (
            <li key={group.key}>
              <button
                type="button"
                aria-pressed={!isHidden}
                title={`${group.label}\nClick: hide or show. Alt-click: this one alone.`}
                onClick={(event) => toggle(group.key, event.altKey)}
                onMouseEnter={() => onFocus(isHidden ? null : group.key)}
                onFocus={() => onFocus(isHidden ? null : group.key)}
                onBlur={() => onFocus(null)}
                className={cn(
                  'flex w-full items-center gap-2 px-3 py-1 text-left text-xs hover:bg-hover focus-visible:-outline-offset-2',
                  isHidden && 'opacity-45',
                )}
              >
                <LineSwatch line={group} theme={theme} />
                <span className={cn('min-w-0 grow truncate', isHidden && 'line-through')}>{group.label}</span>
                {group.runs.length > 1 && (
                  <span className="num shrink-0 text-ink-3">n={whole || group.runs.length}</span>
                )}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
});
