'use client';
import { readQuery } from '@mealtable/protocol/run-query';
import { type RunsTableState, readRunsState, writeRunsState } from '@mealtable/protocol/run-query-address';
import { NO_RUNS, RunFields } from '@mealtable/protocol/run-query-fields';
import { useQuery } from '@tanstack/react-query';
import { Download, GitCompareArrows } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { formatCount, plural } from '../format';
import { BulkBar } from '../queue/bulk-bar';
import { useIsShared } from '../share/shared-context';
import { StudyViews } from '../study/study-views';
import { useTRPC } from '../trpc-provider';
import { Button, DownloadButton } from '../ui/button';
import { ErrorState } from '../ui/error-state';
import { Notice } from '../ui/notice';
import { Section } from '../ui/panel';
import { SkeletonRows } from '../ui/skeleton';
import { ColumnsPanel } from './columns-panel';
import { CompareDialog } from './compare-dialog';
import { FilterBox } from './filter-box';
import { RunsGrid } from './grid';
import { GroupMenu } from './group-menu';
import { useGridView } from './use-grid-view';
import { useRunPages } from './use-run-pages';
import { useRunSelection } from './use-run-selection';
import { useStable } from './use-stable';
import { type ChangeTable, useTableState } from './use-table-state';

/** Every run of a study, however many: the page holds only what is in sight. */
export function RunsTable({ studyId, canEdit }: { studyId: string; canEdit: boolean }) {
  const trpc = useTRPC();
  const schema = useQuery(trpc.runsTable.schema.queryOptions({ studyId }));
  const refetch = useStable(() => void schema.refetch());
  const fields = useMemo(() => new RunFields(schema.data ?? NO_RUNS), [schema.data]);
  if (!schema.data)
    return (
      <Section title="Runs">
        {schema.isError ? (
          <ErrorState what="The runs" error={schema.error} onRetry={() => void schema.refetch()} />
        ) : (
          <SkeletonRows rows={8} label="the runs" />
        )}
      </Section>
    );
  return <LoadedTable studyId={studyId} canEdit={canEdit} fields={fields} onFieldsOld={refetch} />;
}

interface LoadedTableProps {
  studyId: string;
  canEdit: boolean;
  fields: RunFields;
  /** There may be fields that are not known here. */
  onFieldsOld: () => void;
}

function LoadedTable({ studyId, canEdit, fields, onFieldsOld }: LoadedTableProps) {
  const isShared = useIsShared();
  const [state, setState] = useTableState();
  const change: ChangeTable = useStable(setState);
  const scroller = useRef<HTMLDivElement>(null);
  const total = fields.schema.runs;
  const view = useGridView(scroller, total > 0);
  // A filter of an address may be one that cannot be read: the box says so, and all runs are shown.
  const filter = readQuery(state.filter, fields).ok ? state.filter : '';
  const pages = useRunPages(studyId, state, filter, view);
  const selection = useRunSelection(studyId, { filter, sort: state.sort, group: [] });
  const [isComparing, setComparing] = useState(false);
  const selected = [...selection.runs.values()];
  const { latest } = pages;
  const version = latest?.version;
  useEffect(() => {
    if (version !== undefined && version !== fields.schema.version) onFieldsOld();
  }, [version, fields, onFieldsOld]);
  const toTop = () => scroller.current?.scrollTo({ top: 0 });
  return (
    <Section
      title="Runs"
      hint={[countWords(latest ?? { total, matching: total }), ...hiddenOrder(state, fields)].join(', ')}
      actions={
        selected.length > 0 && (
          <div className="flex flex-wrap items-center gap-2">
            <BulkBar runs={selected} onDone={selection.clear} />
            <Button size="sm" onClick={() => setComparing(true)} disabled={selected.length < 2}>
              <GitCompareArrows aria-hidden /> Compare
            </Button>
          </div>
        )
      }
    >
      <div className="mb-3 flex flex-wrap items-start gap-2">
        <FilterBox
          value={state.filter}
          fields={fields}
          onChange={(next) => {
            change({ filter: next });
            toTop();
          }}
        />
        <GroupMenu
          group={state.group}
          fields={fields}
          onChange={(group) => {
            change({ group, open: [] });
            toTop();
          }}
        />
        <ColumnsPanel columns={state.columns} fields={fields} onChange={(columns) => change({ columns })} />
        {!isShared && (
          <StudyViews
            kind="runs"
            {...{ studyId, canEdit }}
            state={writeRunsState(state).toString()}
            onOpen={(saved) => {
              change(readRunsState(new URLSearchParams(saved)));
              toTop();
            }}
            hint="A view is all that is set here: filter, order, groups, columns."
            stays="The runs themselves stay."
          />
        )}
        {!isShared && (
          <DownloadButton href={`/api/studies/${studyId}/runs.csv?${writeRunsState({ ...state, filter })}`}>
            <Download aria-hidden /> CSV
          </DownloadButton>
        )}
      </div>
      <UnknownFields state={state} fields={fields} onChange={change} />
      {pages.error != null && !latest ? (
        <ErrorState what="The runs" error={pages.error} onRetry={pages.retry} />
      ) : total === 0 ? (
        <p className="rounded-panel border border-dashed py-10 text-center text-ink-3 text-sm">
          This study has no runs yet.
        </p>
      ) : (
        <div>
          <RunsGrid
            {...{ state, fields, pages, scroller, view }}
            onChange={change}
            selection={canEdit ? selection : null}
          />
          {latest?.rowCount === 0 && (
            <div className="flex flex-col items-center gap-3 py-10 text-center text-ink-3 text-sm">
              No run matches.
              <Button onClick={() => change({ filter: '' })}>Show all runs</Button>
            </div>
          )}
        </div>
      )}
      {isComparing && <CompareDialog studyId={studyId} runs={selected} onClose={() => setComparing(false)} />}
    </Section>
  );
}

const countWords = ({ total, matching }: { total: number; matching: number }): string =>
  matching === total ? plural(total, 'run') : `${plural(matching, 'run')} of ${formatCount(total)} match`;

/** An order that no heading shows. */
function hiddenOrder({ sort, columns }: RunsTableState, fields: RunFields): string[] {
  const shown = new Set(columns.map(({ field }) => field));
  const words = sort.flatMap(({ field, descending }) => {
    const known = shown.has(field) ? undefined : fields.get(field);
    return known ? [`${known.words} ${descending ? 'downwards' : 'upwards'}`] : [];
  });
  return words.length === 0 ? [] : [`sorted by ${words.join(' and ')}`];
}

/** Links outlive what they name. */
function UnknownFields({
  state,
  fields,
  onChange,
}: {
  state: RunsTableState;
  fields: RunFields;
  onChange: ChangeTable;
}) {
  const isKnown = (name: string) => fields.get(name) !== undefined;
  const unknown = new Set(
    [...state.columns, ...state.sort]
      .map(({ field }) => field)
      .concat(state.group)
      .filter((name) => !isKnown(name)),
  );
  const hidden = new Set(fields.schema.hidden);
  const told = [...unknown].filter((name) => !hidden.has(name));
  if (told.length === 0) return null;
  const drop = () =>
    onChange({
      columns: state.columns.filter(({ field }) => isKnown(field)),
      sort: state.sort.filter(({ field }) => isKnown(field)),
      group: state.group.filter(isKnown),
    });
  return (
    <div className="mb-3">
      <Notice tone="warn" title="This study does not have all fields that the address names">
        <span className="break-all">{told.slice(0, 5).join(', ')}</span>
        {told.length > 5 && ` and ${formatCount(told.length - 5)} more`}.{' '}
        <Button size="sm" onClick={drop}>
          Leave them out
        </Button>
      </Notice>
    </div>
  );
}
