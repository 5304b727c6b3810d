'use client';
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import { isValidationOnly } from '@mealtable/protocol/validation-only';
import type { DatasetOption } from '@mealtable/protocol/views';
import Link from 'next/link';
import { formatCount, plural } from '../../format';
import { Field } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { Panel } from '../../ui/panel';
import { Select } from '../../ui/select';
import { chosenSize } from './draft';
import { useStudyForm } from './form-context';
import { describeCost } from './network-options';
import { NetworkPicker } from './network-picker';
import { problemAt } from './problems';
import { HeadChoice, RANDOM_START, StartPicker } from './start-picker';
import { keepStart, refId, startFrom } from './teacher-choices';

export function DataSection() {
  const { draft, update, datasets, shown, existing } = useStudyForm();
  const dataset = datasets.find(({ name }) => name === draft.dataset);
  return (
    <Panel
      title="Data and student"
      hint={existing ? 'Fixed: a study compares like with like. Clone it to change these.' : undefined}
    >
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label="Dataset" path="dataset" error={problemAt(shown, 'dataset')}>
          {(control) => (
            <Select
              {...control}
              value={draft.dataset}
              disabled={existing !== null || datasets.length === 0}
              onChange={(name) => update({ dataset: name })}
              placeholder={datasets.length === 0 ? 'No host has one' : 'Choose…'}
              options={datasets.map((option) => ({
                value: option.name,
                label: option.name,
                detail: describeOption(option),
              }))}
            />
          )}
        </Field>
        <Field
          label="Student network"
          path="student.network"
          error={problemAt(shown, 'student.network')}
          hint={`${describeCost(draft.network, chosenSize(draft))} at ${chosenSize(draft)} px`}
        >
          {(control) => (
            <NetworkPicker
              {...control}
              value={draft.network}
              disabled={existing !== null}
              size={chosenSize(draft)}
              onChange={(network) => update({ network, start: keepStart(draft.start, network) })}
            />
          )}
        </Field>
        <StartField classCount={dataset?.classNames.length ?? null} />
      </div>
      {dataset && (
        <p className="mt-3 text-ink-2 text-sm wrap-anywhere">
          <span className="num">{formatCount(dataset.trainCount)}</span> training and{' '}
          <span className="num">{formatCount(dataset.valCount)}</span> validation images in{' '}
          {plural(dataset.classNames.length, 'class', 'classes')}, on{' '}
          {dataset.hostNames.length > 0 ? dataset.hostNames.join(', ') : 'no host that is online'}.
        </p>
      )}
      {dataset && dataset.problems.length > 0 && (
        <Notice tone="warn" title="This dataset has problems" className="mt-3">
          <ul>
            {dataset.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </Notice>
      )}
      {datasets.length === 0 && (
        <Notice tone="warn" title="No dataset yet" className="mt-3">
          Datasets are folders on{' '}
          <Link href="/hosts" className="font-medium text-accent underline underline-offset-2">
            hosts
          </Link>
          . Attach one that has images first.
        </Notice>
      )}
    </Panel>
  );
}

function describeOption(option: DatasetOption): string {
  if (option.problems.length > 0) return 'has problems';
  return isValidationOnly(option) ? 'validation only' : plural(option.classNames.length, 'class', 'classes');
}

/** Random, or weights of the same network: only those are offered, besides the present choice. */
function StartField({ classCount }: { classCount: number | null }) {
  const { draft, update, choices, shown, existing } = useStudyForm();
  const { start } = draft;
  const value = start.kind === 'random' ? RANDOM_START : refId(start);
  const size = chosenSize(draft);
  const isFixed = existing !== null;
  const others = choices
    .filter(({ ref, network }) => ref.kind !== 'pretrained' && (network === draft.network || refId(ref) === value))
    .map((choice) => ({ value: refId(choice.ref), label: choice.label, detail: choice.detail }));
  const pick = (next: string) => {
    const ref = KNOWN_WEIGHTS.has(next)
      ? { kind: 'pretrained' as const, weights: next }
      : choices.find((choice) => refId(choice.ref) === next)?.ref;
    update({ start: startFrom(ref, classCount) });
  };
  return (
    <>
      <Field
        label="Student’s start"
        path="student.initialisation"
        error={problemAt(shown, 'student.initialisation', true)}
      >
        {(control) => (
          <StartPicker
            {...control}
            network={draft.network}
            value={value}
            others={others}
            size={size}
            disabled={isFixed}
            onChange={pick}
          />
        )}
      </Field>
      {start.kind === 'pretrained' && (
        <div className="sm:col-span-2 sm:col-start-2 sm:-mt-2">
          <HeadChoice
            start={start}
            dataset={draft.dataset}
            classCount={classCount}
            disabled={isFixed}
            onChange={(changed) => update({ start: changed })}
          />
        </div>
      )}
    </>
  );
}
