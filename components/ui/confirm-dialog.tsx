'use client';
import { AlertDialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { Button } from './button';

interface ConfirmDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** What will happen, and what stays. */
  children: ReactNode;
  confirmLabel: string;
  keepLabel?: string;
  onConfirm: () => void;
  busy?: boolean;
}

/** Asks before something that cannot be undone. The focus starts on the harmless button. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <AlertDialog.Root open={props.open} onOpenChange={props.onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <AlertDialog.Content className="fixed top-1/2 left-1/2 z-40 w-[calc(100vw-24px)] max-w-md -translate-x-1/2 -translate-y-1/2 animate-rise rounded-panel border bg-raised shadow-raised outline-none">
          <div className="px-5 pt-4 pb-4">
            <AlertDialog.Title className="break-words font-semibold text-lg">{props.title}</AlertDialog.Title>
            <AlertDialog.Description asChild>
              <div className="mt-1.5 space-y-2 text-ink-2 text-sm">{props.children}</div>
            </AlertDialog.Description>
          </div>
          <div className="flex flex-wrap justify-end gap-2 rounded-b-panel border-t bg-sunken px-5 py-3">
            <AlertDialog.Cancel asChild>
              <Button>{props.keepLabel ?? 'Keep'}</Button>
            </AlertDialog.Cancel>
            <Button variant="danger" busy={props.busy} onClick={props.onConfirm}>
              {props.confirmLabel}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
