'use client';
import { isEnded } from '@mealtable/protocol/statuses';
import type { RunSummaryView, Top1Row } from '@mealtable/protocol/views';
import { ChartLine } from 'lucide-react';
import { useMemo, useState } from 'react';
import { X_AXIS_WORDS, type XAxis } from '../chart/axes';
import { type CursorReading, LineChart } from '../chart/line-chart';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { Segmented } from '../ui/segmented';
import { Select } from '../ui/select';
import { Skeleton } from '../ui/skeleton';
import { CurveLegend } from './curve-legend';
import { colorsOf, runLines, variantLines } from './curve-lines';
import { MAX_CURVES, useStudyCurves } from './use-study-curves';

const AXES = ['epoch', 'step', 'elapsed'] as const satisfies readonly XAxis[];
type Mode = 'runs' | 'mean';

export function StudyCurves({ rows, runs }: { rows: readonly Top1Row[]; runs: readonly RunSummaryView[] }) {
  const [metric, setMetric] = useState('val/top1');
  const [axis, setAxis] = useState<XAxis>('epoch');
  const [mode, setMode] = useState<Mode>('runs');
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = useState<string | null>(null);
  const [reading, setReading] = useState<CursorReading | null>(null);
  const started = useMemo(() => runs.filter((run) => run.startedAt !== null), [runs]);
  const drawn = useMemo(() => started.slice(0, MAX_CURVES), [started]);
  const { bufferOf, version, isLoading, error, retry } = useStudyCurves(drawn);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `version` stands for what the buffers hold
  const { lines, metrics } = useMemo(() => {
    const input = { rows, runs: drawn, bufferOf, metric, axis, hidden, focused };
    return {
      lines: mode === 'runs' ? runLines(input) : variantLines(input),
      metrics: [...new Set(drawn.flatMap((run) => bufferOf(run.id)?.metrics() ?? []))].sort(),
    };
  }, [rows, drawn, version, metric, axis, hidden, focused, mode]);
  const pointCount = lines.reduce((sum, line) => sum + line.y.length, 0);

  return (
    <Section
      title="Curves"
      hint={
        started.length > MAX_CURVES
          ? `Of the first ${MAX_CURVES} of ${started.length} started runs.`
          : 'Validation over training, coloured by variant. Drag to zoom, double-click to see all.'
      }
      actions={
        metrics.length > 0 && (
          <>
            <Select
              aria-label="Metric"
              value={metric}
              onChange={setMetric}
              options={metrics.map((name) => ({ value: name, label: name }))}
              className="w-36"
            />
            <Segmented
              label="X-axis"
              value={axis}
              onChange={setAxis}
              options={AXES.map((value) => ({ value, label: X_AXIS_WORDS[value] }))}
            />
            <Segmented
              label="Lines"
              value={mode}
              onChange={setMode}
              options={[
                { value: 'runs', label: 'Runs' },
                { value: 'mean', label: 'Mean ± std' },
              ]}
            />
          </>
        )
      }
    >
      {error && metrics.length === 0 ? (
        <ErrorState what="The curves" error={error} onRetry={retry} />
      ) : metrics.length === 0 && isLoading && started.length > 0 ? (
        <Skeleton className="h-80" />
      ) : metrics.length === 0 ? (
        <EmptyState icon={ChartLine} title="No curves yet">
          {runs.every((run) => isEnded(run.status))
            ? 'No run of this study got as far as a validation.'
            : 'They begin with the first validation of the first run.'}
        </EmptyState>
      ) : (
        <div className="grid rounded-panel border bg-surface lg:grid-cols-[minmax(0,1fr)_320px]">
          <div data-testid={`chart-${metric}`} data-points={pointCount} className="min-w-0 pt-3 pr-2 pb-1 pl-1">
            <LineChart
              lines={lines}
              axis={axis}
              height={340}
              onCursor={setReading}
              label={`${metric} of ${lines.length} ${mode === 'runs' ? 'runs' : 'variants'} by ${X_AXIS_WORDS[axis].toLowerCase()}`}
            />
          </div>
          <CurveLegend
            rows={rows}
            runs={drawn}
            colors={colorsOf(rows)}
            lines={lines}
            reading={reading}
            axis={axis}
            hidden={hidden}
            onHidden={setHidden}
            onFocus={setFocused}
          />
        </div>
      )}
    </Section>
  );
}
