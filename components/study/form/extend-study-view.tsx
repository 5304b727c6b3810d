'use client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMe } from '../../account/use-me';
import { readErrorCode } from '../../api-error';
import { plural } from '../../format';
import { useTRPC } from '../../trpc-provider';
import { BackLink } from '../../ui/back-link';
import { ErrorState } from '../../ui/error-state';
import { PageHeader } from '../../ui/page-header';
import { toastDone } from '../../ui/toast';
import { MissingStudy } from '../missing-study';
import { draftFromDesign } from './draft';
import { FormSkeleton } from './form-skeleton';
import { ReadOnlyNotice } from './read-only-notice';
import { StudyForm } from './study-form';
import { useFormData } from './use-form-data';

export function ExtendStudyView({ id }: { id: string }) {
  const trpc = useTRPC();
  const { me, canEdit } = useMe();
  const { datasets, teachers, error, retry } = useFormData();
  const study = useQuery(trpc.studies.overview.queryOptions({ id }));
  const code = readErrorCode(study.error);
  if (code === 'not_found' || code === 'invalid') return <MissingStudy />;
  const failure = error ?? study.error;
  return (
    <>
      <BackLink href={`/studies/${id}`}>{study.data?.name ?? 'Back to the study'}</BackLink>
      <PageHeader
        title="Extend the study"
        lead="Add seeds, levels or networks. What is there stays: existing runs are not touched."
      />
      {me && !canEdit ? (
        <ReadOnlyNotice />
      ) : failure && !(study.data && datasets && teachers) ? (
        <ErrorState
          what="The form"
          error={failure}
          onRetry={() => {
            retry();
            if (study.isError) void study.refetch();
          }}
        />
      ) : study.data && datasets && teachers ? (
        <ExtendForm id={id} study={study.data} datasets={datasets} teachers={teachers} />
      ) : (
        <FormSkeleton />
      )}
    </>
  );
}

type Data = ReturnType<typeof useFormData>;
interface ExtendFormProps {
  id: string;
  study: { name: string; notes: string; design: Parameters<typeof draftFromDesign>[2] };
  datasets: NonNullable<Data['datasets']>;
  teachers: NonNullable<Data['teachers']>;
}

function ExtendForm({ id, study, datasets, teachers }: ExtendFormProps) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [existing] = useState(study.design);
  const [initial] = useState(() => draftFromDesign(study.name, study.notes, study.design));
  const extend = useMutation(
    trpc.studies.extend.mutationOptions({
      onSuccess: async ({ addedRuns }) => {
        toastDone(`${plural(addedRuns, 'run')} added.`);
        await queryClient.invalidateQueries(trpc.studies.overview.queryFilter({ id }));
        void queryClient.invalidateQueries(trpc.studies.get.queryFilter({ id }));
        void queryClient.invalidateQueries(trpc.studies.progress.queryFilter({ id }));
        router.push(`/studies/${id}`);
      },
    }),
  );
  return (
    <StudyForm
      initial={initial}
      datasets={datasets}
      teachers={teachers}
      existing={existing}
      extendedId={id}
      isBusy={extend.isPending || extend.isSuccess}
      error={extend.error}
      onSubmit={async ({ design }) => {
        await extend.mutateAsync({ id, design });
      }}
    />
  );
}
