'use client';
import type { PublishedStudyName } from '@mealtable/protocol/published-studies';
import type { Top1Row } from '@mealtable/protocol/views';
import { Table2 } from 'lucide-react';
import { memo, useMemo } from 'react';
import { buildPivot } from '../pivot/build-pivot';
import { PivotControls } from '../pivot/pivot-controls';
import { pivotText, pivotToCsv } from '../pivot/pivot-export';
import { PivotTable } from '../pivot/pivot-table';
import { heldWords } from '../pivot/pivot-words';
import { EmptyState } from '../ui/empty-state';
import { Notice } from '../ui/notice';
import { Section } from '../ui/panel';
import { CopyTableMenu, DownloadTableMenu } from './copy-table-menu';
import { fileStem } from './file-stem';
import { referenceLabel, toCsv, top1Text } from './table-export';
import type { TableView } from './table-view';
import { captionWords } from './table-words';
import { chooseRows, referenceOf } from './top1-data';
import { groupRows } from './top1-groups';
import { ReferenceNotice } from './top1-reference';
import { CopyLinkButton, Top1Toolbar } from './top1-toolbar';
import { Top1Variants } from './top1-variants';
import { useReference } from './use-reference';
import { useStudyCosts } from './use-study-costs';
import { useTableView } from './use-table-view';

interface Top1TableProps {
  studyId: string;
  studyName: string;
  /** As the hub sends them. */
  rows: readonly Top1Row[];
  /** Whose published result stands below the study's own. */
  reproduces: PublishedStudyName | undefined;
  canEdit: boolean;
}

/** Not drawn anew for a run's progress, only when a row changed. */
export const Top1Table = memo(function Top1Table({ studyId, studyName, rows, reproduces, canEdit }: Top1TableProps) {
  const [view, change] = useTableView();
  const { metric, decimals, differences } = view;
  const chosen = useMemo(() => {
    const built = chooseRows(rows, view);
    return groupRows(built).flatMap((group) => group.rows);
  }, [rows, view]);
  const pivot = useMemo(() => buildPivot(chosen, referenceOf(rows, view.reference), view), [chosen, rows, view]);
  const { costs, error } = useStudyCosts(studyId, view.view === 'variants' ? view.costs : NO_COSTS);
  const setReference = useReference(studyId);
  const isPivot = view.view === 'pivot';
  const choose = (variantId: string) => {
    // Who may not change the study's reference looks at the table with another one all the same.
    if (canEdit) setReference(variantId);
    change({ reference: canEdit ? null : variantId });
  };

  const stem = `${fileStem(studyName)}-${isPivot ? 'pivot' : 'top1'}`;
  const table = { rows: chosen, metric, decimals, reproduces, costs };
  const cross = { pivot, metric, decimals, differences, reproduces };
  const files = {
    stem,
    csv: () => (isPivot ? pivotToCsv(cross) : toCsv(table)),
    text: () => (isPivot ? pivotText(cross) : top1Text(table)),
  };
  const hint = [captionWords(metric, referenceLabel(chosen)), isPivot ? heldWords(pivot) : ''].join(' ');

  return (
    <Section title="Top-1" hint={hint}>
      {chosen.length === 0 ? (
        <EmptyState icon={Table2} title="No variants" />
      ) : (
        <>
          <Top1Toolbar view={view} onChange={change} rows={rows}>
            <CopyLinkButton view={pinned(view, chosen, pivot)} />
            <CopyTableMenu {...files} />
            <DownloadTableMenu {...files} />
          </Top1Toolbar>
          {isPivot && <PivotControls axes={pivot.axes} view={view} onChange={change} />}
          <ReferenceNotice
            rows={rows}
            chosen={view.reference}
            onKeep={canEdit ? choose : undefined}
            onBack={() => change({ reference: null })}
          />
          {error != null && (
            <Notice tone="warn">What runs cost could not be read just now. It is asked for again.</Notice>
          )}
          {isPivot ? (
            <PivotTable
              pivot={pivot}
              decimals={decimals}
              differences={differences}
              reproduces={reproduces}
              onReference={choose}
            />
          ) : (
            <Top1Variants
              rows={chosen}
              decimals={decimals}
              metric={metric}
              costs={costs}
              reproduces={reproduces}
              onReference={choose}
            />
          )}
        </>
      )}
    </Section>
  );
});

const NO_COSTS: TableView['costs'] = [];

/** With what follows from the study today, so that a link shows the same tomorrow. */
function pinned(view: TableView, rows: readonly Top1Row[], { axes }: ReturnType<typeof buildPivot>): TableView {
  const names = (factors: typeof axes.rows) => factors.map(({ name }) => name);
  return {
    ...view,
    reference: rows.find(({ isReference }) => isReference)?.variantId ?? null,
    rows: names(axes.rows),
    columns: names(axes.columns),
    held: Object.fromEntries(axes.held.map(({ factor, level }) => [factor.name, level.key])),
  };
}
