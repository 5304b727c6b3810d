'use client';
import { USER_ROLES, type UserRole } from '@mealtable/protocol/statuses';
import type { MemberView } from '@mealtable/protocol/views';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Ellipsis, KeyRound, Trash2, UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useTRPC } from '../trpc-provider';
import { Badge } from '../ui/badge';
import { Button, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { ErrorState } from '../ui/error-state';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { Section } from '../ui/panel';
import { Select } from '../ui/select';
import { SkeletonRows } from '../ui/skeleton';
import { Table, Td, Th, Tr } from '../ui/table';
import { RelativeTime } from '../ui/time';
import { toastError } from '../ui/toast';
import { USER_ROLE_WORDS } from '../words';
import { InviteDialog } from './invite-dialog';
import { LinkOnceDialog } from './link-once-dialog';

const ROLE_OPTIONS = USER_ROLES.map((role) => ({ value: role, label: USER_ROLE_WORDS[role].name }));

export function MembersSection({ myId }: { myId: string }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const members = useQuery(trpc.members.list.queryOptions());
  const [isInviting, setInviting] = useState(false);
  const [link, setLink] = useState<{ link: string; name: string } | null>(null);
  const [leaving, setLeaving] = useState<MemberView | null>(null);
  const refresh = () => queryClient.invalidateQueries(trpc.members.list.queryFilter());
  const setRole = useMutation(
    trpc.members.setRole.mutationOptions({
      onSettled: refresh,
      onError: (error) => toastError('The role was not changed', error),
    }),
  );
  const newLink = useMutation(
    trpc.members.newLink.mutationOptions({ onError: (error) => toastError('No link was made', error) }),
  );
  const remove = useMutation(
    trpc.members.remove.mutationOptions({
      onSuccess: () => setLeaving(null),
      onSettled: refresh,
      onError: (error) => toastError('The member was not removed', error),
    }),
  );

  return (
    <Section
      title="Members"
      hint="They sign in with a link that you hand them; Mealtable sends no e-mail."
      actions={
        <Button variant="primary" onClick={() => setInviting(true)}>
          <UserPlus aria-hidden /> Invite a member
        </Button>
      }
    >
      {members.isPending && <SkeletonRows rows={3} label="members" />}
      {members.isError && (
        <ErrorState what="The members" error={members.error} onRetry={() => void members.refetch()} />
      )}
      {members.data && (
        <Table label="Members">
          <thead>
            <tr>
              <Th>Name</Th>
              <Th>Role</Th>
              <Th>Last seen</Th>
              <Th>Member since</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </thead>
          <tbody>
            {members.data.map((member) => (
              <Tr key={member.id}>
                <Td>
                  <span className="flex items-center gap-2 font-medium">
                    {member.name}
                    {member.id === myId && <Badge>You</Badge>}
                    {!member.hasPassword && <Badge tone="warn">No password yet</Badge>}
                  </span>
                  <span className="text-ink-3 text-xs">{member.email}</span>
                </Td>
                <Td>
                  <Select<UserRole>
                    aria-label={`Role of ${member.name}`}
                    value={member.role}
                    options={ROLE_OPTIONS}
                    disabled={member.id === myId || setRole.isPending}
                    onChange={(role) => setRole.mutate({ id: member.id, role })}
                    className="w-28"
                  />
                </Td>
                <Td className="text-ink-2">
                  <RelativeTime at={member.lastSeenAt} none="Never" />
                </Td>
                <Td className="text-ink-2">
                  <RelativeTime at={member.createdAt} />
                </Td>
                <Td align="right">
                  <Menu
                    trigger={
                      <IconButton label={`More for ${member.name}`} size="sm">
                        <Ellipsis aria-hidden />
                      </IconButton>
                    }
                  >
                    <MenuItem
                      icon={<KeyRound aria-hidden />}
                      onSelect={() =>
                        newLink.mutate(
                          { id: member.id },
                          { onSuccess: ({ link }) => setLink({ link, name: member.name }) },
                        )
                      }
                    >
                      New sign-in link
                    </MenuItem>
                    <MenuSeparator />
                    <MenuItem
                      icon={<Trash2 aria-hidden />}
                      danger
                      disabled={member.id === myId}
                      onSelect={() => setLeaving(member)}
                    >
                      Remove
                    </MenuItem>
                  </Menu>
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
      <InviteDialog
        open={isInviting}
        onOpenChange={setInviting}
        onInvited={(invited) => {
          setInviting(false);
          setLink(invited);
          void refresh();
        }}
      />
      <LinkOnceDialog link={link} onClose={() => setLink(null)} />
      <ConfirmDialog
        open={leaving !== null}
        onOpenChange={(open) => !open && setLeaving(null)}
        title={`Remove ${leaving?.name ?? ''}?`}
        confirmLabel="Remove the member"
        busy={remove.isPending}
        onConfirm={() => leaving && remove.mutate({ id: leaving.id })}
      >
        <p>Their sessions and tokens end at once. Their studies and runs stay.</p>
      </ConfirmDialog>
    </Section>
  );
}
