'use client';
import { Question, type StudyOverview } from '@mealtable/protocol/study-page';
import { Pencil } from 'lucide-react';
import { useState } from 'react';
import { describeError } from '../api-error';
import { Button, IconButton } from '../ui/button';
import { Textarea } from '../ui/input';
import { Notice } from '../ui/notice';
import { useChangeText } from './use-change-text';

/** What the study is to answer, in a sentence under its name; editors change it where it stands. */
export function StudyQuestion({ study, canEdit }: { study: StudyOverview; canEdit: boolean }) {
  const [isEditing, setEditing] = useState(false);
  if (isEditing) return <QuestionForm study={study} onClose={() => setEditing(false)} />;
  if (study.question === '')
    return canEdit ? (
      <Button variant="ghost" size="sm" className="-ml-2" onClick={() => setEditing(true)}>
        <Pencil aria-hidden /> What is this study to answer?
      </Button>
    ) : null;
  return (
    <p className="group flex max-w-[80ch] items-start gap-1.5 text-base text-ink">
      <span className="wrap-anywhere min-w-0 text-pretty">{study.question}</span>
      {canEdit && (
        <IconButton
          label="Edit the question"
          size="sm"
          className="-my-0.5 opacity-60 focus-visible:opacity-100 group-hover:opacity-100"
          onClick={() => setEditing(true)}
        >
          <Pencil aria-hidden />
        </IconButton>
      )}
    </p>
  );
}

function QuestionForm({ study, onClose }: { study: StudyOverview; onClose: () => void }) {
  const [was] = useState(study.question);
  const [text, setText] = useState(study.question);
  const { save, isBusy, error } = useChangeText(study, 'question', onClose);
  const parsed = Question.safeParse(text);
  const problem = parsed.success ? null : (parsed.error.issues[0]?.message ?? null);
  return (
    <form
      className="my-1 max-w-[80ch] space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed.success) save(was, parsed.data);
      }}
    >
      <div className="flex flex-wrap gap-2">
        <Textarea
          autoFocus
          aria-label="Question of the study"
          aria-invalid={problem !== null || undefined}
          placeholder="Does the discriminator help a small student?"
          className="min-h-8 min-w-0 grow basis-96"
          rows={2}
          value={text}
          onChange={(event) => setText(event.target.value.replaceAll('\n', ' '))}
          onKeyDown={(event) => {
            // It is one sentence: Enter ends it.
            if (event.key === 'Escape' && text === was) onClose();
            // It is one sentence: Enter ends it.
            if (event.key !== 'Enter') return;
            event.preventDefault();
            event.currentTarget.form?.requestSubmit();
          }}
        />
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={isBusy} disabled={problem !== null}>
          Save
        </Button>
      </div>
      {problem !== null && (
        <p role="alert" className="text-bad text-xs">
          {problem}
        </p>
      )}
      {error && <Notice tone="bad">{describeError(error)}</Notice>}
    </form>
  );
}
