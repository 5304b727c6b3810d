'use client';
import type { LauncherView } from '@mealtable/protocol/launcher-views';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';

/** What keeps the launcher from working, with the button that helps. */
export function FaultPanel({ launcher, isOwner }: { launcher: LauncherView; isOwner: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const wake = useMutation(
    trpc.launchers.wake.mutationOptions({
      onSettled: () => queryClient.invalidateQueries(trpc.launchers.list.queryFilter()),
      onError: (error) => toastError('The rest was not ended', error),
    }),
  );
  const { fault, rest, settings, hostKeyFingerprint } = launcher;
  const ssh = settings.kind === 'local' ? null : settings.ssh;
  const asksForKey = ssh !== null && (hostKeyFingerprint === null || fault?.code === 'host_key_changed');
  return (
    <>
      {rest && (
        <Notice tone="warn" title="Submits no jobs for a while">
          <p className="break-words">{rest.reason}</p>
          <p className="mt-1 text-xs">
            It tries again <RelativeTime at={rest.until} none="soon" />.
          </p>
          {isOwner && (
            <Button size="sm" className="mt-2" busy={wake.isPending} onClick={() => wake.mutate({ id: launcher.id })}>
              Try again now
            </Button>
          )}
        </Notice>
      )}
      {fault && fault.code !== 'host_key_unknown' && (
        <Notice
          tone="bad"
          title={fault.code === 'host_key_changed' ? 'The host shows another key' : 'It does not work'}
        >
          <p className="break-words">{fault.message}</p>
        </Notice>
      )}
      {asksForKey && <HostKeyPanel launcher={launcher} isOwner={isOwner} />}
    </>
  );
}

/** The key is shown before anything is sent, for a person to compare once. */
function HostKeyPanel({ launcher, isOwner }: { launcher: LauncherView; isOwner: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const read = useMutation(trpc.launchers.readHostKey.mutationOptions());
  const accept = useMutation(
    trpc.launchers.acceptHostKey.mutationOptions({
      onSettled: () => queryClient.invalidateQueries(trpc.launchers.list.queryFilter()),
      onError: (error) => toastError('The key was not accepted', error),
    }),
  );
  const { id, hostKeyFingerprint } = launcher;
  return (
    <Notice tone={hostKeyFingerprint === null ? 'info' : 'warn'} title="Is this the right machine?">
      <p>
        {hostKeyFingerprint === null
          ? 'Nothing is sent before an owner has accepted the key of the host. Compare its fingerprint with the one that the host’s administrator knows.'
          : 'Accept the new key only when the machine was set up anew and its administrator confirms the fingerprint.'}
      </p>
      {read.data && (
        <dl className="mt-2 space-y-1">
          <div>
            <dt className="text-ink-3 text-xs">It shows now</dt>
            <dd className="num break-all text-ink">{read.data.fingerprint}</dd>
          </div>
          {hostKeyFingerprint !== null && (
            <div>
              <dt className="text-ink-3 text-xs">Accepted before</dt>
              <dd className="num break-all">{hostKeyFingerprint}</dd>
            </div>
          )}
        </dl>
      )}
      {read.isError && <p className="mt-2 text-bad">{describeError(read.error)}</p>}
      {isOwner && (
        <div className="mt-3 flex flex-wrap gap-2">
          <Button size="sm" busy={read.isPending} onClick={() => read.mutate({ id })}>
            {read.data ? 'Look again' : 'Show its fingerprint'}
          </Button>
          {read.data && !read.data.isAccepted && (
            <Button
              size="sm"
              variant={hostKeyFingerprint === null ? 'primary' : 'danger'}
              busy={accept.isPending}
              onClick={() => accept.mutate({ id, line: read.data.line })}
            >
              Accept this key
            </Button>
          )}
        </div>
      )}
    </Notice>
  );
}
