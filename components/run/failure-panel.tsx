import type { RunDetailView } from '@mealtable/protocol/views';
import { CircleX } from 'lucide-react';
import { Button } from '../ui/button';
import { ScrollRegion } from '../ui/scroll-region';
import { FAILURE_ADVICE, FAILURE_WORDS } from '../words';

/** Why a run failed: in words, the trainer's own sentence, what to do, and the end of its output. */
export function FailurePanel({ run, onShowLog }: { run: RunDetailView; onShowLog: () => void }) {
  if (run.status !== 'failed' || run.failureCode === null) return null;
  const attempt = run.attempts.at(-1);
  const lines = attempt?.lastLogLines ?? [];
  return (
    <section
      aria-labelledby="failure"
      className="mb-4 overflow-hidden rounded-panel border border-bad-line bg-bad-soft"
    >
      <div className="flex flex-wrap items-start gap-3 px-4 py-3">
        <CircleX aria-hidden className="mt-0.5 size-5 shrink-0 text-bad" />
        <div className="min-w-64 grow basis-0">
          <h2 id="failure" className="font-semibold">
            {FAILURE_WORDS[run.failureCode]}
          </h2>
          {run.failureMessage && <p className="mt-0.5 break-words text-sm">{run.failureMessage}</p>}
          <p className="mt-1 text-ink-2 text-sm">{FAILURE_ADVICE[run.failureCode]}</p>
          {attempt && (
            <p className="mt-1 text-ink-3 text-xs">
              Attempt {attempt.attempt} of at most {run.maxAttempts}
              {attempt.hostName && ` on ${attempt.hostName}`}
              {attempt.signal && `, ended by ${attempt.signal}`}
              {attempt.exitCode !== null && `, exit code ${attempt.exitCode}`} ·{' '}
              <code className="text-2xs">{run.failureCode}</code>
            </p>
          )}
        </div>
        {lines.length > 0 && (
          <Button size="sm" onClick={onShowLog}>
            Show the whole log
          </Button>
        )}
      </div>
      {lines.length > 0 && (
        <ScrollRegion
          label="Last log lines"
          className="max-h-64 overflow-auto border-bad-line border-t bg-surface px-4 py-3"
        >
          <pre className="whitespace-pre-wrap break-words text-xs leading-5">{lines.join('\n')}</pre>
        </ScrollRegion>
      )}
    </section>
  );
}
