'use client';
import type { StudyTable } from '@mealtable/protocol/study-page';
import { type ReactNode, useEffect } from 'react';
import { useMe } from '../account/use-me';
import { readErrorCode } from '../api-error';
import { useLiveState } from '../live-socket';
import { ActivitySection } from '../notify/activity-section';
import { RunsTable } from '../runs-table/runs-table';
import { MissingShare } from '../share/missing-share';
import { useIsShared } from '../share/shared-context';
import { BackLink } from '../ui/back-link';
import { ErrorState } from '../ui/error-state';
import { Section } from '../ui/panel';
import { Skeleton, SkeletonRows } from '../ui/skeleton';
import { BestCheckpoints } from './best-checkpoints';
import { DesignSection } from './design-section';
import { EffectsSection } from './effects-section';
import { MissingStudy } from './missing-study';
import { PageSection } from './page-section';
import { ProgressSection } from './progress-section';
import { type PageSection as NamedSection, SectionNav } from './section-nav';
import { StudyCurves } from './study-curves';
import { StudyHeader } from './study-header';
import { StudyNotes } from './study-notes';
import { Top1Table } from './top1-table';
import { useSectionInAddress } from './use-section-in-address';
import { useStudyOverview, useStudyTable } from './use-study';
import { useStudyEvents } from './use-study-events';

/** A study as one story, in this order. */
const SECTIONS = [
  { id: 'notes', name: 'Notes' },
  { id: 'design', name: 'Design' },
  { id: 'progress', name: 'Progress' },
  { id: 'top-1', name: 'Top-1' },
  { id: 'curves', name: 'Curves' },
  { id: 'effects', name: 'Effects' },
  { id: 'checkpoints', name: 'Checkpoints' },
  { id: 'runs', name: 'Runs' },
  { id: 'activity', name: 'Activity' },
] as const satisfies readonly NamedSection[];

/** A share link gives no files. */
const SHARED_SECTIONS = SECTIONS.filter(({ id }) => id !== 'checkpoints');

/** The study with this id, for members and, where the page is a share link's, for its visitors. */
export function StudyView({ id }: { id: string }) {
  const { canEdit } = useMe();
  const isShared = useIsShared();
  const query = useStudyOverview(id);
  useStudyEvents(id);
  const study = query.data;
  useSectionInAddress(study !== undefined);
  const live = useLiveState();
  const { refetch } = query;
  useEffect(() => {
    // A link that was taken back refuses the live connection first; what it showed goes from the page, too.
    if (isShared && live === 'refused') void refetch();
  }, [isShared, live, refetch]);

  const code = readErrorCode(query.error);
  // Also when it was there before: somebody has deleted it, or taken the link back.
  if (isShared && (code === 'unauthenticated' || code === 'not_found')) return <MissingShare />;
  if (code === 'not_found' || code === 'invalid') return <MissingStudy />;
  if (query.isError && !study)
    return <ErrorState what="The study" error={query.error} onRetry={() => void query.refetch()} />;
  if (!study) return <LoadingStudy />;
  return (
    <>
      {!isShared && <BackLink href="/">Studies</BackLink>}
      <StudyHeader study={study} canEdit={canEdit} />
      <SectionNav sections={isShared ? SHARED_SECTIONS : SECTIONS} />
      <div className="space-y-9">
        <PageSection id="notes" name="Notes">
          <StudyNotes study={study} canEdit={canEdit} />
        </PageSection>
        <PageSection id="design" name="Design">
          <DesignSection study={study} />
        </PageSection>
        <PageSection id="progress" name="Progress">
          <ProgressSection id={id} maxConcurrent={study.maxConcurrent} />
        </PageSection>
        <PageSection id="top-1" name="Top-1" lazyHeight={480}>
          <Reckoned id={id} title="Top-1">
            {({ rows }) => (
              <Top1Table
                studyId={id}
                studyName={study.name}
                rows={rows}
                reproduces={study.design.reproduces}
                canEdit={canEdit}
              />
            )}
          </Reckoned>
        </PageSection>
        <PageSection id="curves" name="Curves" lazyHeight={420}>
          <Reckoned id={id} title="Curves">
            {({ rows, runs }) => <StudyCurves key={id} studyId={id} rows={rows} runs={runs} />}
          </Reckoned>
        </PageSection>
        <PageSection id="effects" name="What each factor does" lazyHeight={320}>
          <Reckoned id={id} title="What each factor does">
            {({ rows }) => <EffectsSection studyName={study.name} rows={rows} />}
          </Reckoned>
        </PageSection>
        {!isShared && (
          <PageSection id="checkpoints" name="Best checkpoints" lazyHeight={320}>
            <BestCheckpoints study={study} />
          </PageSection>
        )}
        <PageSection id="runs" name="Runs" lazyHeight={520}>
          <RunsTable key={id} studyId={id} canEdit={canEdit} />
        </PageSection>
        <PageSection id="activity" name="Activity" lazyHeight={200}>
          <ActivitySection key={id} studyId={id} />
        </PageSection>
      </div>
    </>
  );
}

/** A section of what the hub reckons over all runs: it is read with the first of these that somebody comes near. */
function Reckoned(props: { id: string; title: string; children: (table: StudyTable) => ReactNode }) {
  const { id, title, children } = props;
  const { data, isError, error, refetch } = useStudyTable(id);
  if (data) return children(data);
  return (
    <Section title={title}>
      {isError ? (
        <ErrorState what={title} error={error} onRetry={() => void refetch()} />
      ) : (
        <SkeletonRows rows={6} label={title} />
      )}
    </Section>
  );
}

function LoadingStudy() {
  return (
    <div role="status" aria-label="Loading the study" className="space-y-6">
      <Skeleton className="h-7 w-80 max-w-full" />
      <Skeleton className="h-4 w-60 max-w-full" />
      <Skeleton className="h-36" />
      <SkeletonRows rows={8} label="the table" />
    </div>
  );
}
