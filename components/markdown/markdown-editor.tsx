'use client';
import { useId, useState } from 'react';
import { Textarea } from '../ui/input';
import { Segmented } from '../ui/segmented';
import { Markdown } from './markdown';

interface MarkdownEditorProps {
  text: string;
  onChange: (text: string) => void;
  /** Asked for by Ctrl or Command and Enter. */
  onSave: () => void;
  label: string;
}

/** Write, or see what it looks like. */
export function MarkdownEditor({ text, onChange, onSave, label }: MarkdownEditorProps) {
  const [mode, setMode] = useState<'write' | 'preview'>('write');
  const hint = useId();
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-3">
        <Segmented
          label={`${label}: write or preview`}
          value={mode}
          onChange={setMode}
          options={[
            { value: 'write', label: 'Write' },
            { value: 'preview', label: 'Preview' },
          ]}
        />
        <p id={hint} className="text-ink-3 text-xs">
          Markdown: **bold**, lists, tables, `code`, links. Images are shown as links, HTML as text.
        </p>
      </div>
      {mode === 'write' ? (
        <Textarea
          autoFocus
          aria-label={label}
          aria-describedby={hint}
          rows={10}
          value={text}
          className="min-h-40 font-mono text-sm leading-6"
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            onSave();
          }}
        />
      ) : (
        <section
          aria-label="Preview"
          className="min-h-40 rounded-control border border-line-strong border-dashed bg-surface px-3 py-2"
        >
          {text.trim() === '' ? <p className="text-ink-3 text-sm">Nothing to show yet.</p> : <Markdown text={text} />}
        </section>
      )}
    </div>
  );
}
