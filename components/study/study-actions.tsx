'use client';
import type { StudyOverview } from '@mealtable/protocol/study-page';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import {
  Archive,
  CopyPlus,
  Ellipsis,
  Gauge,
  ListPlus,
  Pencil,
  Plus,
  Server,
  Share2,
  Square,
  Trash2,
} from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { plural } from '../format';
import { EpochsDialog } from '../queue/epochs-dialog';
import { ShareDialog } from '../share/share-dialog';
import { useTRPC } from '../trpc-provider';
import { Button, ButtonLink, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { toastError } from '../ui/toast';
import { LimitDialog } from './limit-dialog';
import { RenameDialog } from './rename-dialog';
import { RetentionDialog } from './retention-dialog';
import { StudyRequirements } from './study-requirements';
import { useStudyProgress } from './use-study';

type Asking = 'cancel' | 'remove' | 'rename' | 'limit' | 'epochs' | 'hosts' | 'share' | 'retention' | null;

export function StudyActions({ study }: { study: StudyOverview }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<Asking>(null);
  const done = () => setAsking(null);
  const close = (open: boolean) => !open && done();
  const refresh = () =>
    Promise.all([
      queryClient.invalidateQueries(trpc.studies.table.queryFilter({ id: study.id })),
      queryClient.invalidateQueries(trpc.studies.progress.queryFilter({ id: study.id })),
    ]);
  const cancel = useMutation(
    trpc.studies.cancel.mutationOptions({
      onSuccess: done,
      onSettled: refresh,
      onError: (error) => toastError('The runs were not cancelled', error),
    }),
  );
  const remove = useMutation(
    trpc.studies.remove.mutationOptions({
      onSuccess: () => {
        router.push('/');
        queryClient.removeQueries(trpc.studies.overview.queryFilter({ id: study.id }));
        return queryClient.invalidateQueries(trpc.studies.list.queryFilter());
      },
      onError: (error) => toastError('The study was not deleted', error),
    }),
  );
  const { data: progress } = useStudyProgress(study.id);
  const active = progress ? progress.counts.claimed + progress.counts.running : 0;
  const unfinished = progress ? active + progress.counts.queued : 0;
  return (
    <>
      {unfinished > 0 && (
        <Button onClick={() => setAsking('cancel')}>
          <Square aria-hidden /> Cancel all
        </Button>
      )}
      <Button onClick={() => setAsking('share')}>
        <Share2 aria-hidden /> Share
      </Button>
      <ButtonLink href={`/studies/new?from=${study.id}`}>
        <CopyPlus aria-hidden /> Clone
      </ButtonLink>
      <ButtonLink href={`/studies/${study.id}/edit`}>
        <Plus aria-hidden /> Extend
      </ButtonLink>
      <Menu
        trigger={
          <IconButton label="More actions" variant="secondary">
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil aria-hidden />} onSelect={() => setAsking('rename')}>
          Rename…
        </MenuItem>
        <MenuItem icon={<Gauge aria-hidden />} onSelect={() => setAsking('limit')}>
          Runs at once…
        </MenuItem>
        <MenuItem icon={<Server aria-hidden />} onSelect={() => setAsking('hosts')}>
          Hosts and clusters…
        </MenuItem>
        <MenuItem icon={<Archive aria-hidden />} onSelect={() => setAsking('retention')}>
          Checkpoints kept…
        </MenuItem>
        {study.comparedCount > 0 && (
          <MenuItem icon={<ListPlus aria-hidden />} onSelect={() => setAsking('epochs')}>
            More epochs…
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem icon={<Trash2 aria-hidden />} danger disabled={active > 0} onSelect={() => setAsking('remove')}>
          {active > 0 ? 'Delete (cancel its runs first)' : 'Delete'}
        </MenuItem>
      </Menu>
      {asking === 'share' && <ShareDialog study={study} onClose={done} />}
      {asking === 'retention' && <RetentionDialog studyId={study.id} onClose={done} />}
      {asking === 'limit' && <LimitDialog study={study} onClose={done} />}
      {asking === 'hosts' && <StudyRequirements studyId={study.id} onClose={done} />}
      {asking === 'epochs' && <EpochsDialog studyId={study.id} runs={[]} onClose={done} onDone={done} />}
      {asking === 'rename' && <RenameDialog study={study} onClose={done} />}
      <ConfirmDialog
        open={asking === 'cancel'}
        onOpenChange={close}
        title={`Cancel ${plural(unfinished, 'run')}?`}
        confirmLabel={`Cancel ${plural(unfinished, 'run')}`}
        keepLabel="Keep them"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate({ id: study.id })}
      >
        <p>Queued runs are taken out of the queue, running trainers are asked to stop. What has been recorded stays.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asking === 'remove'}
        onOpenChange={close}
        title={`Delete “${study.name}”?`}
        confirmLabel="Delete the study"
        busy={remove.isPending}
        onConfirm={() => remove.mutate({ id: study.id })}
      >
        <p>Its {plural(study.runCount, 'run')}, their points, logs and checkpoints are deleted for good.</p>
      </ConfirmDialog>
    </>
  );
}
