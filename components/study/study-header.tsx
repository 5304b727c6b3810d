'use client';
import type { StudyView } from '@mealtable/protocol/views';
import { useMemo } from 'react';
import { plural } from '../format';
import { PageHeader } from '../ui/page-header';
import { countStatuses, StatusCountsBar, StatusCountsText } from '../ui/status-counts';
import { RelativeTime } from '../ui/time';
import { StudyActions } from './study-actions';

export function StudyHeader({ study, canEdit }: { study: StudyView; canEdit: boolean }) {
  const { design } = study;
  const counts = useMemo(() => countStatuses(study.runs), [study.runs]);
  return (
    <>
      <PageHeader
        title={study.name}
        documentTitle={study.name}
        lead={
          <>
            <p className="flex flex-wrap gap-x-2">
              <span>
                {design.student.network} on {design.dataset}
              </span>
              <Dot />
              <span>{plural(design.epochs, 'epoch')}</span>
              <Dot />
              <span>
                batch {design.batchSize}
                {design.accumulation !== undefined && design.accumulation > 1 && ` × ${design.accumulation}`}
              </span>
              <Dot />
              <span>{DESIGN_WORDS[design.design]}</span>
              <Dot />
              <span>
                created <RelativeTime at={study.createdAt} />
                {study.createdBy && ` by ${study.createdBy}`}
              </span>
            </p>
            {study.notes && <p className="mt-1.5 max-w-prose whitespace-pre-wrap break-words">{study.notes}</p>}
          </>
        }
        actions={canEdit ? <StudyActions study={study} /> : undefined}
      />
      <section aria-label="Runs by status" className="mb-8 flex flex-wrap items-center gap-x-6 gap-y-2">
        <StatusCountsText counts={counts} />
        <span className="min-w-48 max-w-md grow">
          <StatusCountsBar counts={counts} />
        </span>
      </section>
    </>
  );
}

const Dot = () => (
  <span aria-hidden className="text-ink-3">
    ·
  </span>
);

export const DESIGN_WORDS: Record<StudyView['design']['design'], string> = {
  'full-factorial': 'full-factorial',
  'one-at-a-time': 'one at a time',
  list: 'listed variants',
};
