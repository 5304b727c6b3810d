'use client';
import { useMutation } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { toastError } from '../ui/toast';

export function DemoButton({ isMain = false }: { isMain?: boolean }) {
  const trpc = useTRPC();
  const router = useRouter();
  const create = useMutation(
    trpc.studies.createDemo.mutationOptions({
      onSuccess: ({ id }) => router.push(`/studies/${id}`),
      onError: (error) => toastError('The demo study was not created', error),
    }),
  );
  return (
    <Button
      variant={isMain ? 'primary' : 'secondary'}
      busy={create.isPending || create.isSuccess}
      onClick={() => create.mutate({ demo: 'ablation' })}
    >
      <Play aria-hidden /> Run the demo study
    </Button>
  );
}
