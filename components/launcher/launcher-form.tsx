'use client';
import type { LauncherSettings } from '@mealtable/protocol/launchers';
import { type ReactNode, useState } from 'react';
import { describeError, problemAt } from '../api-error';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { type DraftProblems, type LauncherDraft, readDraft } from './launcher-draft';
import { LauncherFields } from './launcher-fields';

interface LauncherFormProps {
  initial: LauncherDraft;
  submitLabel: string;
  busy: boolean;
  /** What the hub said of the last try. */
  error: unknown;
  onSubmit: (launcher: { name: string; settings: LauncherSettings }) => void;
  onCancel: () => void;
  children?: ReactNode;
}

/** Says what is wrong of each field once somebody has tried to send it, and from then on while typing. */
export function LauncherForm(props: LauncherFormProps) {
  const { initial, submitLabel, busy, error, onSubmit, onCancel, children } = props;
  const [draft, setDraft] = useState(initial);
  const [hasTried, setTried] = useState(false);
  const read = readDraft(draft);
  const problems: DraftProblems = !hasTried || read.ok ? {} : read.problems;
  const nameProblem = problemAt(error, 'name');
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (read.ok) onSubmit(read);
      }}
    >
      <LauncherFields
        draft={draft}
        update={(change) => setDraft((old) => ({ ...old, ...change }))}
        problems={nameProblem === null ? problems : { ...problems, name: nameProblem }}
      />
      {children}
      {error !== null && error !== undefined && nameProblem === null && (
        <Notice tone="bad" className="mt-4">
          {describeError(error)}
        </Notice>
      )}
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={busy}>
          {submitLabel}
        </Button>
      </div>
    </form>
  );
}
