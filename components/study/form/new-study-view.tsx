'use client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { useMe } from '../../account/use-me';
import { useTRPC } from '../../trpc-provider';
import { BackLink } from '../../ui/back-link';
import { ErrorState } from '../../ui/error-state';
import { PageHeader } from '../../ui/page-header';
import { draftFromDesign, newDraft, type StudyDraft } from './draft';
import { FormSkeleton } from './form-skeleton';
import { ReadOnlyNotice } from './read-only-notice';
import { StudyForm } from './study-form';
import { useFormData } from './use-form-data';

interface NewStudyViewProps {
  /** Study that the form begins with, or null. */
  cloneOf: string | null;
  /** A run of it, whose variant and seed alone are wanted, or null. */
  cloneOfRun: string | null;
}

export function NewStudyView({ cloneOf, cloneOfRun }: NewStudyViewProps) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const { me, canEdit } = useMe();
  const { datasets, teachers, error, retry } = useFormData();
  const source = useQuery(
    trpc.studies.clone.queryOptions(
      { id: cloneOf ?? '', ...(cloneOfRun !== null && { runId: cloneOfRun }) },
      { enabled: cloneOf !== null },
    ),
  );
  const create = useMutation(
    trpc.studies.create.mutationOptions({
      onSuccess: async ({ id }) => {
        void queryClient.invalidateQueries(trpc.studies.list.queryFilter());
        router.push(`/studies/${id}`);
      },
    }),
  );
  const isReady = datasets && teachers && (cloneOf === null || source.data);
  const failure = error ?? source.error;
  return (
    <>
      <BackLink href={cloneOf ? `/studies/${cloneOf}` : '/'}>{cloneOf ? 'Back to the study' : 'Studies'}</BackLink>
      <PageHeader
        title={cloneOf ? 'Clone a study' : 'New study'}
        lead="An ablation study: one student, distilled under every variant and seed that you name here."
      />
      {me && !canEdit ? (
        <ReadOnlyNotice />
      ) : failure && !isReady ? (
        <ErrorState
          what="The form"
          error={failure}
          onRetry={() => {
            retry();
            if (source.isError) void source.refetch();
          }}
        />
      ) : !isReady ? (
        <FormSkeleton />
      ) : (
        <FirstDraft
          make={() =>
            source.data ? draftFromDesign(source.data.name, '', source.data.design) : newDraft(bestDataset(datasets))
          }
        >
          {(initial) => (
            <StudyForm
              initial={initial}
              datasets={datasets}
              teachers={teachers}
              existing={null}
              extendedId={null}
              isBusy={create.isPending || create.isSuccess}
              error={create.error}
              onSubmit={async (study) => {
                await create.mutateAsync(study);
              }}
            />
          )}
        </FirstDraft>
      )}
    </>
  );
}

/** Made once: what is read again later must not undo what was typed. */
function FirstDraft({
  make,
  children,
}: {
  make: () => StudyDraft;
  children: (initial: StudyDraft) => React.ReactNode;
}) {
  const [initial] = useState(make);
  return children(initial);
}

const bestDataset = (datasets: readonly { name: string; problems: string[] }[]): string =>
  (datasets.find(({ problems }) => problems.length === 0) ?? datasets[0])?.name ?? '';
