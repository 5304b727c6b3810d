'use client';
import type { DemoName } from '@mealtable/protocol/demo-study';
import { useMutation } from '@tanstack/react-query';
import { ChevronDown, Play } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTRPC } from '../trpc-provider';
import { Button, IconButton } from '../ui/button';
import { Menu, MenuItem } from '../ui/menu';
import { toastError } from '../ui/toast';

const DEMOS: { demo: DemoName; title: string; says: string }[] = [
  { demo: 'ablation', title: 'Teachers, discriminator, input size', says: 'Every combination, and the student alone' },
  { demo: 'factors', title: 'Every factor, one at a time', says: 'Ensembles, temperature, mixed images and more' },
];

export function DemoButton({ isMain = false }: { isMain?: boolean }) {
  const trpc = useTRPC();
  const router = useRouter();
  const create = useMutation(
    trpc.studies.createDemo.mutationOptions({
      onSuccess: ({ id }) => router.push(`/studies/${id}`),
      onError: (error) => toastError('The demo study was not created', error),
    }),
  );
  const isBusy = create.isPending || create.isSuccess;
  const variant = isMain ? 'primary' : 'secondary';
  return (
    <span className="inline-flex gap-px">
      <Button
        variant={variant}
        busy={isBusy}
        onClick={() => create.mutate({ demo: 'ablation' })}
        className="rounded-r-none"
      >
        <Play aria-hidden /> Run the demo study
      </Button>
      <Menu
        trigger={
          <IconButton label="Choose a demo" variant={variant} disabled={isBusy} className="rounded-l-none">
            <ChevronDown aria-hidden />
          </IconButton>
        }
      >
        {DEMOS.map(({ demo, title, says }) => (
          <MenuItem key={demo} onSelect={() => create.mutate({ demo })}>
            <span>
              {title}
              <span className="block text-ink-3 text-xs">{says}</span>
            </span>
          </MenuItem>
        ))}
      </Menu>
    </span>
  );
}
