'use client';
import { Notes, type StudyOverview } from '@mealtable/protocol/study-page';
import { NotebookPen, Pencil } from 'lucide-react';
import { useState } from 'react';
import { describeError } from '../api-error';
import { Markdown } from '../markdown/markdown';
import { MarkdownEditor } from '../markdown/markdown-editor';
import { Button } from '../ui/button';
import { Notice } from '../ui/notice';
import { Section } from '../ui/panel';
import { useChangeText } from './use-change-text';

/** What people wrote about the study, in Markdown. */
export function StudyNotes({ study, canEdit }: { study: StudyOverview; canEdit: boolean }) {
  const [isEditing, setEditing] = useState(false);
  const isEmpty = study.notes.trim() === '';
  if (isEditing)
    return (
      <Section title="Notes">
        <NotesForm study={study} onClose={() => setEditing(false)} />
      </Section>
    );
  return (
    <Section
      title="Notes"
      actions={
        canEdit && !isEmpty ? (
          <Button size="sm" variant="ghost" onClick={() => setEditing(true)} aria-label="Edit the notes">
            <Pencil aria-hidden /> Edit
          </Button>
        ) : undefined
      }
    >
      {!isEmpty ? (
        <div className="rounded-panel border bg-surface px-4 py-3">
          <Markdown text={study.notes} />
        </div>
      ) : canEdit ? (
        <button
          type="button"
          onClick={() => setEditing(true)}
          className="flex w-full items-center gap-2 rounded-panel border border-dashed px-4 py-3 text-left text-ink-3 text-sm hover:bg-hover hover:text-ink"
        >
          <NotebookPen aria-hidden className="size-4 shrink-0" />
          Write down what is expected, what was found, and what it means.
        </button>
      ) : (
        <p className="text-ink-3 text-sm">Nobody has written any.</p>
      )}
    </Section>
  );
}

function NotesForm({ study, onClose }: { study: StudyOverview; onClose: () => void }) {
  const [was] = useState(study.notes);
  const [text, setText] = useState(study.notes);
  const { save, isBusy, error } = useChangeText(study, 'notes', onClose);
  const parsed = Notes.safeParse(text);
  const problem = parsed.success ? null : (parsed.error.issues[0]?.message ?? null);
  const submit = () => parsed.success && save(was, parsed.data);
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <MarkdownEditor label="Notes" text={text} onChange={setText} onSave={submit} />
      {problem !== null && (
        <p role="alert" className="text-bad text-xs">
          {problem}
        </p>
      )}
      {error && <Notice tone="bad">{describeError(error)}</Notice>}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" busy={isBusy} disabled={problem !== null}>
          Save the notes
        </Button>
        <Button onClick={onClose}>{text === was ? 'Cancel' : 'Discard the changes'}</Button>
      </div>
    </form>
  );
}
