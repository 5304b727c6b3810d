'use client';
import { Field } from '../../ui/field';
import { Input, Textarea } from '../../ui/input';
import { Panel } from '../../ui/panel';
import { useStudyForm } from './form-context';
import { problemAt } from './problems';
import { PublishedMenu, PublishedNotice } from './published-menu';

export function BasicsSection() {
  const { draft, update, shown } = useStudyForm();
  return (
    <Panel title="Study" actions={<PublishedMenu />}>
      <div className="space-y-4">
        <PublishedNotice />
        <Field label="Name" path="name" error={problemAt(shown, 'name')}>
          {(control) => (
            <Input
              {...control}
              value={draft.name}
              placeholder="What is compared, in a few words"
              onChange={(event) => update({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Question" optional path="question" error={problemAt(shown, 'question')}>
          {(control) => (
            <Input
              {...control}
              value={draft.question}
              spellCheck
              placeholder="What the study is to answer, in a sentence"
              onChange={(event) => update({ question: event.target.value })}
            />
          )}
        </Field>
        <Field label="Notes" optional hint="Markdown." path="notes" error={problemAt(shown, 'notes')}>
          {(control) => (
            <Textarea
              {...control}
              rows={2}
              value={draft.notes}
              onChange={(event) => update({ notes: event.target.value })}
            />
          )}
        </Field>
      </div>
    </Panel>
  );
}
