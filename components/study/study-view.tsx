'use client';
import { useMe } from '../account/use-me';
import { readErrorCode } from '../api-error';
import { ActivitySection } from '../notify/activity-section';
import { BackLink } from '../ui/back-link';
import { ErrorState } from '../ui/error-state';
import { Skeleton, SkeletonRows } from '../ui/skeleton';
import { EffectsSection } from './effects-section';
import { MissingStudy } from './missing-study';
import { RunsTable } from './runs-table';
import { StudyCurves } from './study-curves';
import { StudyHeader } from './study-header';
import { Top1Table } from './top1-table';
import { useStudy } from './use-study';

export function StudyView({ id }: { id: string }) {
  const { canEdit } = useMe();
  const query = useStudy(id);
  const study = query.data;
  const code = readErrorCode(query.error);
  // Also when it was there before: somebody has deleted it.
  if (code === 'not_found' || code === 'invalid') return <MissingStudy />;
  if (query.isError && !study)
    return <ErrorState what="The study" error={query.error} onRetry={() => void query.refetch()} />;
  if (!study)
    return (
      <div role="status" aria-label="Loading the study" className="space-y-6">
        <Skeleton className="h-7 w-80 max-w-full" />
        <SkeletonRows rows={8} label="the table" />
        <Skeleton className="h-72" />
      </div>
    );
  return (
    <>
      <BackLink href="/">Studies</BackLink>
      <StudyHeader study={study} canEdit={canEdit} />
      <div className="space-y-8">
        <Top1Table
          studyId={id}
          studyName={study.name}
          rows={study.rows}
          reproduces={study.design.reproduces}
          canEdit={canEdit}
        />
        <EffectsSection studyName={study.name} rows={study.rows} />
        <StudyCurves key={`curves ${id}`} rows={study.rows} runs={study.runs} />
        <RunsTable key={`runs ${id}`} runs={study.runs} canEdit={canEdit} />
        <ActivitySection key={`activity ${id}`} studyId={id} />
      </div>
    </>
  );
}
