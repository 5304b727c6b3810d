'use client';
import { MAX_SAVED_VIEWS, type SavedView, type SavedViewKind } from '@mealtable/protocol/saved-views';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Bookmark, ChevronDown, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { describeError } from '../api-error';
import { useTRPC } from '../trpc-provider';
import { Button, IconButton } from '../ui/button';
import { ConfirmDialog } from '../ui/confirm-dialog';
import { Input } from '../ui/input';
import { Popover } from '../ui/popover';
import { toastDone, toastError } from '../ui/toast';

interface StudyViewsProps {
  studyId: string;
  kind: SavedViewKind;
  canEdit: boolean;
  /** What is looked at now, as an address has it. */
  state: string;
  onOpen: (state: string) => void;
  /** What a view keeps, for who has saved none. */
  hint: string;
  /** What stays when a view is deleted. */
  stays: string;
}

/** Ways of looking at a part of the study that somebody kept: everybody opens them, editors save and delete. */
export function StudyViews({ studyId, kind, canEdit, state, onOpen, hint, stays }: StudyViewsProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState('');
  const [removing, setRemoving] = useState<SavedView | null>(null);
  const views = useQuery(trpc.savedViews.list.queryOptions({ studyId, kind }));
  const onSettled = () => queryClient.invalidateQueries(trpc.savedViews.list.queryFilter({ studyId, kind }));
  const save = useMutation(
    trpc.savedViews.save.mutationOptions({
      onSettled,
      onSuccess: (_, saved) => {
        setName('');
        toastDone(`View “${saved.name}” saved`);
      },
      onError: (error) => toastError('The view could not be saved', error),
    }),
  );
  const remove = useMutation(
    trpc.savedViews.remove.mutationOptions({
      onSettled,
      onError: (error) => toastError('The view could not be deleted', error),
    }),
  );
  const current = views.data?.find((saved) => saved.state === state);
  const replaces = views.data?.some((saved) => saved.name === name.trim()) ?? false;
  if (!canEdit && (views.data?.length ?? 0) === 0) return null;
  return (
    <>
      <Popover
        label="Saved views"
        open={isOpen}
        onOpenChange={setOpen}
        trigger={
          <Button>
            <Bookmark aria-hidden />
            <span className="max-w-32 truncate">{current?.name ?? 'Views'}</span>
            <ChevronDown aria-hidden className="text-ink-3" />
          </Button>
        }
      >
        <div className="text-sm">
          {views.error ? (
            <p className="text-bad text-xs">{describeError(views.error)}</p>
          ) : views.data?.length === 0 ? (
            <p className="text-ink-3 text-xs">No view is saved. {hint}</p>
          ) : (
            <ul className="-mx-1 max-h-64 overflow-y-auto">
              {views.data?.map((saved) => (
                <li key={saved.id} className="flex items-center gap-1">
                  <button
                    type="button"
                    aria-current={saved.id === current?.id || undefined}
                    title={saved.createdBy === '' ? saved.name : `${saved.name}, saved by ${saved.createdBy}`}
                    onClick={() => {
                      onOpen(saved.state);
                      setOpen(false);
                    }}
                    className="min-w-0 grow truncate rounded-control px-2 py-1.5 text-left hover:bg-hover aria-current:font-medium aria-current:text-accent"
                  >
                    {saved.name}
                  </button>
                  {canEdit && (
                    <IconButton label={`Delete the view ${saved.name}`} size="sm" onClick={() => setRemoving(saved)}>
                      <Trash2 aria-hidden />
                    </IconButton>
                  )}
                </li>
              ))}
            </ul>
          )}
          {canEdit && (
            <form
              className="mt-2 flex gap-2 border-t pt-3"
              onSubmit={(event) => {
                event.preventDefault();
                if (name.trim() !== '') save.mutate({ studyId, kind, name: name.trim(), state });
              }}
            >
              <Input
                aria-label="Name of the view"
                placeholder="Save this view as…"
                maxLength={100}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
              <Button
                type="submit"
                busy={save.isPending}
                disabled={name.trim() === '' || (!replaces && (views.data?.length ?? 0) >= MAX_SAVED_VIEWS)}
              >
                {replaces ? 'Replace' : 'Save'}
              </Button>
            </form>
          )}
        </div>
      </Popover>
      {removing && (
        <ConfirmDialog
          open
          onOpenChange={(open) => !open && setRemoving(null)}
          title={`Delete the view “${removing.name}”?`}
          confirmLabel="Delete view"
          busy={remove.isPending}
          onConfirm={() => remove.mutate({ studyId, id: removing.id }, { onSuccess: () => setRemoving(null) })}
        >
          It goes for everybody. {stays}
        </ConfirmDialog>
      )}
    </>
  );
}
