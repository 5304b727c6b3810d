'use client';
import { NewShare, type ShareView } from '@mealtable/protocol/shares';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { CopyBlock } from '../ui/copy-button';
import { Dialog } from '../ui/dialog';
import { ErrorState } from '../ui/error-state';
import { Field } from '../ui/field';
import { Input } from '../ui/input';
import { Notice } from '../ui/notice';
import { Skeleton } from '../ui/skeleton';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';

/** Links that show this study without an account: made here, listed, and taken back. */
export function ShareDialog({ study, onClose }: { study: { id: string; name: string }; onClose: () => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const shares = useQuery(trpc.shares.list.queryOptions({ studyId: study.id }));
  const refresh = () => queryClient.invalidateQueries(trpc.shares.list.queryFilter({ studyId: study.id }));
  const create = useMutation(trpc.shares.create.mutationOptions({ onSettled: refresh }));
  return (
    <Dialog
      wide
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Share “${study.name}”`}
      description="Whoever has a link sees this study, live and read-only, without an account: its question, notes, design, tables, curves and activity. Not its logs, checkpoints, hosts or people, and no other study."
      footer={<Button onClick={onClose}>Done</Button>}
    >
      <div className="space-y-5">
        {create.data ? (
          <NewLink link={create.data.link} onAnother={create.reset} />
        ) : (
          <CreateForm
            studyId={study.id}
            isBusy={create.isPending}
            error={create.error}
            onCreate={(label) => create.mutate({ studyId: study.id, label })}
          />
        )}
        <section aria-label="Links that work">
          <h3 className="mb-1.5 font-semibold text-sm">Links that work</h3>
          {shares.isPending && <Skeleton className="h-10" />}
          {shares.isError && <ErrorState what="The links" error={shares.error} onRetry={() => void shares.refetch()} />}
          {shares.data?.length === 0 && <p className="text-ink-3 text-sm">None: only members see this study.</p>}
          {shares.data && shares.data.length > 0 && (
            <ul className="divide-y rounded-lg border">
              {shares.data.map((share) => (
                <ShareRow key={share.id} share={share} onRevoked={() => void refresh()} />
              ))}
            </ul>
          )}
        </section>
      </div>
    </Dialog>
  );
}

function CreateForm(props: { studyId: string; isBusy: boolean; error: unknown; onCreate: (label: string) => void }) {
  const { studyId, isBusy, error, onCreate } = props;
  const [label, setLabel] = useState('');
  const parsed = NewShare.safeParse({ studyId, label });
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed.success) onCreate(parsed.data.label);
      }}
    >
      <Field label="Whom it is for" hint="You see it in the list of links; visitors do not.">
        {(control) => (
          <div className="flex gap-2">
            <Input
              {...control}
              value={label}
              maxLength={100}
              placeholder="Reviewers of the paper"
              onChange={(event) => setLabel(event.target.value)}
            />
            <Button type="submit" variant="primary" busy={isBusy} disabled={!parsed.success}>
              Create a link
            </Button>
          </div>
        )}
      </Field>
      {error ? <Notice tone="bad">{describeError(error)}</Notice> : null}
    </form>
  );
}

function NewLink({ link, onAnother }: { link: string; onAnother: () => void }) {
  return (
    <div className="space-y-2">
      <CopyBlock text={link} label="Copy the link" />
      <p className="text-ink-2 text-sm">
        Copy it now: only its hash is stored, so it cannot be shown again.{' '}
        <button type="button" className="text-accent underline underline-offset-2" onClick={onAnother}>
          Create another
        </button>
      </p>
    </div>
  );
}

/** Asks once more before it revokes: whoever has the link loses the page at once. */
function ShareRow({ share, onRevoked }: { share: ShareView; onRevoked: () => void }) {
  const trpc = useTRPC();
  const [isAsking, setAsking] = useState(false);
  const revoke = useMutation(
    trpc.shares.revoke.mutationOptions({
      onSettled: onRevoked,
      onError: (error) => toastError('The link was not revoked', error),
    }),
  );
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2 text-sm">
      <div className="min-w-0 grow">
        <p className="wrap-anywhere font-medium">{share.label}</p>
        <p className="text-ink-3 text-xs">
          created <RelativeTime at={share.createdAt} />
          {share.createdBy && ` by ${share.createdBy}`} · last used <RelativeTime at={share.lastUsedAt} none="never" />
        </p>
      </div>
      {isAsking ? (
        <span className="flex gap-2">
          <Button size="sm" onClick={() => setAsking(false)}>
            Keep
          </Button>
          <Button size="sm" variant="danger" busy={revoke.isPending} onClick={() => revoke.mutate({ id: share.id })}>
            Revoke now
          </Button>
        </span>
      ) : (
        <Button size="sm" variant="ghost" aria-label={`Revoke ${share.label}`} onClick={() => setAsking(true)}>
          Revoke
        </Button>
      )}
    </li>
  );
}
