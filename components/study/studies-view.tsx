'use client';
import { FlaskConical, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useMe } from '../account/use-me';
import { plural } from '../format';
import { ButtonLink } from '../ui/button';
import { EmptyState } from '../ui/empty-state';
import { ErrorState } from '../ui/error-state';
import { PageHeader } from '../ui/page-header';
import { SearchBox } from '../ui/search-box';
import { SkeletonRows } from '../ui/skeleton';
import { DemoButton } from './demo-button';
import { StudiesTable } from './studies-table';
import { useStudies } from './use-studies';

export function StudiesView() {
  const { canEdit } = useMe();
  const studies = useStudies();
  const [search, setSearch] = useState('');
  const all = studies.data;
  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return all?.filter((study) => {
      const text = `${study.name} ${study.dataset} ${study.studentNetwork} ${study.createdBy}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [all, search]);

  const isEmpty = all?.length === 0;
  const newStudy = (
    <ButtonLink href="/studies/new" variant={isEmpty ? 'secondary' : 'primary'}>
      <Plus aria-hidden /> New study
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title="Studies"
        lead="Ablation studies of MEAL V2 distillation: every variant, every seed, one table."
        actions={
          canEdit && !isEmpty ? (
            <>
              <DemoButton />
              {newStudy}
            </>
          ) : undefined
        }
      />
      {studies.isPending && <SkeletonRows rows={6} label="studies" />}
      {studies.isError && !all && (
        <ErrorState what="The studies" error={studies.error} onRetry={() => void studies.refetch()} />
      )}
      {isEmpty && (
        <EmptyState
          icon={FlaskConical}
          title="No study yet"
          actions={
            canEdit && (
              <>
                <DemoButton isMain />
                {newStudy}
              </>
            )
          }
        >
          {canEdit ? (
            <p>
              The demo study trains two teachers on handwritten digits and distils a small student from them, with and
              without the discriminator, at two input sizes, with three seeds. It needs no GPU, ends in about ten
              minutes, and fills the top-1 table while you watch. A second one varies every other factor.
            </p>
          ) : (
            <p>Studies that editors create appear here.</p>
          )}
        </EmptyState>
      )}
      {all && shown && !isEmpty && (
        <>
          <div className="mb-3 flex flex-wrap items-center gap-3">
            <SearchBox label="Search studies" value={search} onChange={setSearch} className="w-full sm:w-72" />
            <span role="status" className="text-ink-3 text-xs">
              {shown.length === all.length
                ? plural(all.length, 'study', 'studies')
                : `${shown.length} of ${all.length}`}
            </span>
          </div>
          {shown.length > 0 ? (
            <StudiesTable studies={shown} />
          ) : (
            <p className="rounded-panel border border-dashed py-10 text-center text-ink-3 text-sm">
              No study matches “{search}”.
            </p>
          )}
        </>
      )}
    </>
  );
}
