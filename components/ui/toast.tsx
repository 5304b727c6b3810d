'use client';
import { useTheme } from 'next-themes';
import { Toaster as Sonner, toast } from 'sonner';
import { describeError } from '../api-error';

export function Toaster() {
  const { resolvedTheme } = useTheme();
  return (
    <Sonner
      theme={resolvedTheme === 'dark' ? 'dark' : 'light'}
      position="bottom-right"
      toastOptions={{
        classNames: {
          toast: '!rounded-lg !border !border-line !bg-raised !text-ink !shadow-raised !text-sm !font-sans',
          description: '!text-ink-2',
        },
      }}
    />
  );
}

export const toastDone = (message: string) => toast.success(message);
/** @param what "The run could not be cancelled" */
export const toastError = (what: string, error: unknown) => toast.error(what, { description: describeError(error) });
/** Done in part, or not in the way that was meant. @param why a sentence */
export const toastPartly = (what: string, why: string) => toast.warning(what, { description: why });
