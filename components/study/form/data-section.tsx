'use client';
import { NETWORK_NAMES } from '@mealtable/protocol/networks';
import Link from 'next/link';
import { formatCount, plural } from '../../format';
import { Field } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { Panel } from '../../ui/panel';
import { Select } from '../../ui/select';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';
import { refId, startFrom } from './teacher-choices';

const NETWORK_OPTIONS = NETWORK_NAMES.map((name) => ({ value: name, label: name }));

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
              options={datasets.map(({ name, classNames, problems }) => ({
                value: name,
                label: name,
                detail: problems.length > 0 ? 'has problems' : plural(classNames.length, 'class', 'classes'),
              }))}
            />
          )}
        </Field>
        <Field label="Student network" path="student.network" error={problemAt(shown, 'student.network')}>
          {(control) => (
            <Select
              {...control}
              value={draft.network}
              disabled={existing !== null}
              onChange={(network) => update({ network })}
              options={NETWORK_OPTIONS}
            />
          )}
        </Field>
        <StartField />
      </div>
      {dataset && (
        <p className="mt-3 text-ink-2 text-sm">
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

/** Random, or weights of the same network: only those are offered, besides the present choice. */
function StartField() {
  const { draft, update, choices, shown, existing } = useStudyForm();
  const value = draft.start.kind === 'random' ? 'random' : refId(draft.start);
  const fitting = choices.filter((choice) => choice.network === draft.network || refId(choice.ref) === value);
  const options = [
    { value: 'random', label: 'Random weights' },
    ...fitting.map((choice) => ({ value: refId(choice.ref), label: choice.label, detail: choice.detail })),
  ];
  return (
    <Field
      label="Student’s start"
      path="student.initialisation"
      error={problemAt(shown, 'student.initialisation', true)}
      hint={options.length === 1 ? `Or a trained ${draft.network}, once there is one.` : undefined}
    >
      {(control) => (
        <Select
          {...control}
          value={value}
          disabled={existing !== null}
          options={options}
          onChange={(next) => update({ start: startFrom(choices.find((choice) => refId(choice.ref) === next)?.ref) })}
        />
      )}
    </Field>
  );
}
