'use client';
import { isActive, isEnded } from '@mealtable/protocol/statuses';
import type { StudyView } from '@mealtable/protocol/views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CopyPlus, Ellipsis, Gauge, ListPlus, Pencil, Plus, Square, Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { plural } from '../format';
import { EpochsDialog } from '../queue/epochs-dialog';
import { useTRPC } from '../trpc-provider';
import { Button, ButtonLink, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { toastError } from '../ui/toast';
import { LimitDialog } from './limit-dialog';
import { RenameDialog } from './rename-dialog';

type Asking = 'cancel' | 'remove' | 'rename' | 'limit' | 'epochs' | null;

export function StudyActions({ study }: { study: StudyView }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<Asking>(null);
  const close = (open: boolean) => !open && setAsking(null);
  const cancel = useMutation(
    trpc.studies.cancel.mutationOptions({
      onSuccess: () => setAsking(null),
      onSettled: () => queryClient.invalidateQueries(trpc.studies.get.queryFilter({ id: study.id })),
      onError: (error) => toastError('The runs were not cancelled', error),
    }),
  );
  const remove = useMutation(
    trpc.studies.remove.mutationOptions({
      onSuccess: () => {
        router.push('/');
        queryClient.removeQueries(trpc.studies.get.queryFilter({ id: study.id }));
        return queryClient.invalidateQueries(trpc.studies.list.queryFilter());
      },
      onError: (error) => toastError('The study was not deleted', error),
    }),
  );
  const unfinished = study.runs.filter((run) => !isEnded(run.status)).length;
  const extendable = study.runs.find((run) => run.role === 'student' || run.role === 'baseline');
  const active = study.runs.filter((run) => isActive(run.status)).length;
  return (
    <>
      {unfinished > 0 && (
        <Button onClick={() => setAsking('cancel')}>
          <Square aria-hidden /> Cancel all
        </Button>
      )}
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
          Rename and notes
        </MenuItem>
        <MenuItem icon={<Gauge aria-hidden />} onSelect={() => setAsking('limit')}>
          Runs at once…
        </MenuItem>
        {extendable && (
          <MenuItem icon={<ListPlus aria-hidden />} onSelect={() => setAsking('epochs')}>
            More epochs…
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem icon={<Trash2 aria-hidden />} danger disabled={active > 0} onSelect={() => setAsking('remove')}>
          {active > 0 ? 'Delete (cancel its runs first)' : 'Delete'}
        </MenuItem>
      </Menu>
      {asking === 'limit' && <LimitDialog study={study} onClose={() => setAsking(null)} />}
      {asking === 'epochs' && extendable && (
        <EpochsDialog runs={[extendable]} onClose={() => setAsking(null)} onDone={() => setAsking(null)} />
      )}
      <RenameDialog study={study} open={asking === 'rename'} onOpenChange={close} />
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
        <p>Its {plural(study.runs.length, 'run')}, their points, logs and checkpoints are deleted for good.</p>
      </ConfirmDialog>
    </>
  );
}
