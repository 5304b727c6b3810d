'use client';
import type { RunCell, RunConfigs, TableRun } from '@mealtable/protocol/run-query-view';
import { MAX_COMPARED_RUNS } from '@mealtable/protocol/run-query-view';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { NONE, plural } from '../format';
import { useTRPC } from '../trpc-provider';
import { LabelledCheckbox } from '../ui/checkbox';
import { cn } from '../ui/cn';
import { Dialog } from '../ui/dialog';
import { ErrorState } from '../ui/error-state';
import { Field } from '../ui/field';
import { Select } from '../ui/select';
import { Skeleton } from '../ui/skeleton';

interface CompareDialogProps {
  studyId: string;
  /** Selected ones, the first of them the base. */
  runs: readonly TableRun[];
  onClose: () => void;
}

const nameOf = (run: TableRun) => `${run.variantLabel}, seed ${run.seed}`;
const textOf = (value: RunCell | undefined): string =>
  value === null || value === undefined ? NONE : typeof value === 'object' ? value.join(', ') : String(value);

/** Configs side by side with those of a base run; what is the same in all of them is hidden until it is asked for. */
export function CompareDialog({ studyId, runs, onClose }: CompareDialogProps) {
  const trpc = useTRPC();
  const ids = runs.slice(0, MAX_COMPARED_RUNS).map(({ id }) => id);
  const query = useQuery(trpc.runsTable.configs.queryOptions({ studyId, ids }));
  const [baseId, setBaseId] = useState(ids[0] ?? '');
  const [isAll, setAll] = useState(false);
  const { data } = query;
  return (
    <Dialog
      open
      onOpenChange={onClose}
      wide
      title={`Configs of ${plural(ids.length, 'run')}`}
      description={
        runs.length > ids.length ? `Of those selected the first ${MAX_COMPARED_RUNS} are compared.` : undefined
      }
    >
      {query.isError ? (
        <ErrorState what="The configs" error={query.error} onRetry={() => void query.refetch()} />
      ) : data ? (
        <>
          <div className="mb-3 flex flex-wrap items-end gap-x-6 gap-y-2">
            <div className="w-72 max-w-full">
              <Field label="Compared with">
                {(control) => (
                  <Select
                    {...control}
                    value={baseId}
                    onChange={setBaseId}
                    options={data.runs.map(({ run }) => ({ value: run.id, label: nameOf(run) }))}
                  />
                )}
              </Field>
            </div>
            <LabelledCheckbox checked={isAll} onChange={setAll} label="Fields that are the same, too" />
          </div>
          <Comparison configs={data} baseId={baseId} isAll={isAll} />
        </>
      ) : (
        <div role="status" aria-label="Loading the configs" className="space-y-2">
          <Skeleton className="h-8" />
          <Skeleton className="h-40" />
        </div>
      )}
    </Dialog>
  );
}

function Comparison({ configs, baseId, isAll }: { configs: RunConfigs; baseId: string; isAll: boolean }) {
  const base = configs.runs.find(({ run }) => run.id === baseId) ?? configs.runs[0];
  if (!base) return <p className="text-ink-3 text-sm">These runs are gone.</p>;
  const columns = [base, ...configs.runs.filter((each) => each !== base)];
  const rows = configs.fields.map((field, i) => {
    const texts = columns.map(({ values }) => textOf(values[i]));
    return { field, texts, isSame: texts.every((text) => text === texts[0]) };
  });
  const shown = isAll ? rows : rows.filter(({ isSame }) => !isSame);
  if (shown.length === 0)
    return <p className="py-6 text-center text-ink-3 text-sm">All {rows.length} fields are the same in these runs.</p>;
  return (
    <>
      <div className="max-h-[50dvh] overflow-auto rounded-panel border">
        <table aria-label="Configs" className="border-separate border-spacing-0 text-sm">
          <thead>
            <tr>
              <th
                scope="col"
                className="sticky top-0 left-0 z-20 border-r border-b bg-sunken px-3 py-1.5 text-left font-medium text-ink-3 text-xs"
              >
                Field
              </th>
              {columns.map(({ run }, i) => (
                <th
                  key={run.id}
                  scope="col"
                  className="sticky top-0 z-10 min-w-36 max-w-64 border-b bg-sunken px-3 py-1.5 text-left align-bottom font-medium text-xs"
                >
                  <span title={run.variantLabel} className="line-clamp-3 break-words">
                    {run.variantLabel}
                  </span>
                  <span className="text-ink-3">
                    seed {run.seed}
                    {i === 0 && ', base'}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ field, texts }) => (
              <tr key={field.name}>
                <th
                  scope="row"
                  title={field.name}
                  className="sticky left-0 max-w-52 break-words border-r border-b bg-surface px-3 py-1.5 text-left font-medium"
                >
                  {field.words.replace(/^config\./, '')}
                </th>
                {texts.map((text, i) => (
                  <td
                    key={columns[i]!.run.id}
                    className={cn(
                      'max-w-64 break-words border-b px-3 py-1.5 align-top',
                      i > 0 && text !== texts[0] ? 'bg-accent-soft font-medium' : 'text-ink-2',
                    )}
                  >
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!isAll && rows.length > shown.length && (
        <p className="mt-2 text-ink-3 text-xs">
          {plural(rows.length - shown.length, 'field')} with the same value everywhere not shown.
        </p>
      )}
    </>
  );
}
