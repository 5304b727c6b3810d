'use client';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import { PointsMenu } from '../chart/points-menu';
import { plural } from '../format';
import { PageHeader } from '../ui/page-header';
import { RelativeTime } from '../ui/time';
import { StudyActions } from './study-actions';
import { StudyQuestion } from './study-question';

export function StudyHeader({ study, canEdit }: { study: StudyOverview; canEdit: boolean }) {
  const { design } = study;
  return (
    <PageHeader
      title={study.name}
      documentTitle={study.name}
      lead={
        <div className="space-y-1.5">
          <StudyQuestion study={study} canEdit={canEdit} />
          <p className="flex flex-wrap gap-x-2 text-ink-3">
            <span>
              {design.student.network} on {design.dataset}
            </span>
            <Dot />
            <span>{plural(study.runCount, 'run')}</span>
            <Dot />
            <span>
              created <RelativeTime at={study.createdAt} />
              {study.createdBy && ` by ${study.createdBy}`}
            </span>
          </p>
        </div>
      }
      actions={
        <>
          <PointsMenu of={`/api/studies/${study.id}/metrics`} />
          {canEdit && <StudyActions study={study} />}
        </>
      }
    />
  );
}

const Dot = () => <span aria-hidden>·</span>;
