'use client';
import { NewEvaluation, usualPreprocessing } from '@mealtable/protocol/evaluation';
import { KNOWN_WEIGHTS, PUBLISHED_CLASS_COUNT } from '@mealtable/protocol/published-weights';
import type { EvaluationSource } from '@mealtable/protocol/run-config';
import { isValidationOnly } from '@mealtable/protocol/validation-only';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { describeError, problemAt, readProblems } from '../api-error';
import { formatPercent, plural } from '../format';
import { TrapNotice } from '../study/form/start-picker';
import { useTRPC } from '../trpc-provider';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { NumberInput } from '../ui/input';
import { Notice } from '../ui/notice';
import { Select } from '../ui/select';
import { toastDone } from '../ui/toast';
import { WeightsPicker } from './weights-picker';

interface EvaluateDialogProps {
  /** A checkpoint; null asks for published weights. */
  of: { runId: string; checkpointId: string } | null;
  onClose: () => void;
}

/** Asks for what is left open, beginning with the weights' own size and the first dataset that fits. */
export function EvaluateDialog({ of, onClose }: EvaluateDialogProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const datasets = useQuery(trpc.datasets.list.queryOptions());
  const run = useQuery(trpc.runs.get.queryOptions({ id: of?.runId ?? '' }, { enabled: of !== null }));
  const [weights, setWeights] = useState<string>();
  const [chosenDataset, setDataset] = useState<string>();
  const [typedSize, setSize] = useState<string>();
  const [batchSize, setBatchSize] = useState('64');
  const [tried, setTried] = useState<Record<string, string>>({});

  const known = weights === undefined ? undefined : KNOWN_WEIGHTS.get(weights);
  const usualSize = of ? run.data?.inputSize : known?.published.preprocessing.inputSize;
  const size = typedSize ?? (usualSize === undefined ? '' : String(usualSize));
  const ownDataset = run.data?.config.dataset;
  const classCount = of
    ? datasets.data?.find(({ name }) => name === ownDataset)?.classNames.length
    : PUBLISHED_CLASS_COUNT;
  const fitting = datasets.data?.filter(({ classNames }) => classNames.length === classCount) ?? [];
  const dataset = chosenDataset ?? fitting.find(({ name }) => name === ownDataset)?.name ?? fitting[0]?.name;
  const source: EvaluationSource | null = of
    ? { kind: 'run', ...of }
    : weights === undefined
      ? null
      : { kind: 'pretrained', weights };

  const create = useMutation(
    trpc.evaluations.create.mutationOptions({
      onSuccess: () => {
        toastDone('The evaluation is queued.');
        void queryClient.invalidateQueries(trpc.evaluations.list.queryFilter());
        onClose();
      },
    }),
  );
  const submit = () => {
    const wanted = { source, dataset, inputSize: toNumber(size), batchSize: toNumber(batchSize) };
    const parsed = NewEvaluation.safeParse(wanted);
    if (parsed.success) {
      setTried({});
      create.mutate(parsed.data);
      return;
    }
    const found = parsed.error.issues.map(({ path, message }) => [String(path[0]), message] as const);
    setTried({
      ...Object.fromEntries(found),
      ...(source === null && { source: 'Choose weights.' }),
      ...(dataset === undefined && { dataset: 'Choose a dataset.' }),
    });
  };
  const problemOf = (field: string) => tried[field] ?? problemAt(create.error, field);
  const isElsewhere = create.error && readProblems(create.error).length === 0;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={of ? 'Evaluate a checkpoint' : 'Evaluate published weights'}
      description="A host that has the dataset looks at its validation images once, in float32."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="evaluate" variant="primary" busy={create.isPending}>
            Evaluate
          </Button>
        </>
      }
    >
      <form
        id="evaluate"
        noValidate
        aria-label="Evaluate"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
        className="grid grid-cols-2 gap-4"
      >
        {of ? (
          <CheckpointLine checkpointId={of.checkpointId} run={run.data} error={problemOf('source')} />
        ) : (
          <Field label="Weights" error={problemOf('source')} className="col-span-2">
            {(control) => <WeightsPicker {...control} value={weights} onChange={setWeights} />}
          </Field>
        )}
        {weights && <TrapNotice weights={weights} className="col-span-2" />}
        <Field label="Dataset" error={problemOf('dataset')} className="col-span-2">
          {(control) => (
            <Select
              {...control}
              value={dataset}
              onChange={setDataset}
              placeholder={datasets.data?.length === 0 ? 'No host has one' : 'Choose…'}
              options={(datasets.data ?? []).map(({ name, classNames, trainCount, valCount, problems }) => ({
                value: name,
                label: name,
                detail: `${plural(classNames.length, 'class', 'classes')}, ${plural(valCount, 'image')} to validate${isValidationOnly({ trainCount, problems }) ? ', validation only' : ''}`,
                disabled: classCount !== undefined && classNames.length !== classCount,
              }))}
            />
          )}
        </Field>
        <Field label="Input size" error={problemOf('inputSize')}>
          {(control) => <NumberInput {...control} value={size} onChange={(event) => setSize(event.target.value)} />}
        </Field>
        <Field label="Batch size" error={problemOf('batchSize')}>
          {(control) => (
            <NumberInput {...control} value={batchSize} onChange={(event) => setBatchSize(event.target.value)} />
          )}
        </Field>
        {datasets.data && fitting.length === 0 && classCount !== undefined && (
          <Notice tone="warn" className="col-span-2">
            No host has a dataset of {plural(classCount, 'class', 'classes')} yet, which these weights need.
          </Notice>
        )}
        {source && <Preprocessing source={source} />}
        {isElsewhere && (
          <Notice tone="bad" className="col-span-2">
            {describeError(create.error)}
          </Notice>
        )}
      </form>
    </Dialog>
  );
}

const toNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));

interface CheckpointLineProps {
  checkpointId: string;
  run:
    | { variantLabel: string; seed: number; checkpoints: { id: string; epoch: number; top1: number | null }[] }
    | undefined;
  error: string | null;
}

function CheckpointLine({ checkpointId, run, error }: CheckpointLineProps) {
  const checkpoint = run?.checkpoints.find(({ id }) => id === checkpointId);
  return (
    <div className="col-span-2 text-sm">
      {run && (
        <p>
          <span className="font-medium">{run.variantLabel}</span>, seed {run.seed}
          {checkpoint && (
            <span className="block text-ink-2">
              Checkpoint of epoch <span className="num">{checkpoint.epoch}</span>, top-1 in its own validation{' '}
              <span className="num">{formatPercent(checkpoint.top1)}</span>
            </span>
          )}
        </p>
      )}
      {error && <p className="mt-1 text-bad text-xs">{error}</p>}
    </div>
  );
}

/** How the images will be prepared: part of what a published number means. */
function Preprocessing({ source }: { source: EvaluationSource }) {
  const { cropFraction, interpolation, mean } = usualPreprocessing(source);
  const normalised = mean.every((value) => value === 0.5) ? '0.5 and 0.5' : 'ImageNet’s mean and deviation';
  return (
    <p className="col-span-2 text-ink-3 text-xs">
      {source.kind === 'pretrained' ? 'As published: ' : 'As its run validated: '}
      resized {interpolation}, centre crop <span className="num">{cropFraction}</span>, {normalised}.
    </p>
  );
}
