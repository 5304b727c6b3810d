'use client';
import { describeError, readProblems } from '../../api-error';
import { plural } from '../../format';
import { Button } from '../../ui/button';
import { Notice } from '../../ui/notice';
import { CostSummary } from './cost-summary';
import { useStudyForm } from './form-context';
import { PreviewTable } from './preview-table';
import { useNewRuns } from './use-new-runs';

interface SubmitPanelProps {
  isBusy: boolean;
  isTried: boolean;
  error: unknown;
  onGoTo: (path: string) => void;
}

/** Beside the form: what it would make, what is wrong, and the button. */
export function SubmitPanel({ isBusy, isTried, error, onGoTo }: SubmitPanelProps) {
  const { problems, expansion, existing } = useStudyForm();
  const newRuns = useNewRuns();
  const runCount = expansion?.ok ? expansion.runCount : null;
  const addedCount = newRuns?.size ?? 0;
  return (
    <aside aria-label="Preview" className="min-w-0 rounded-panel border bg-surface xl:sticky xl:top-16">
      <div className="px-4 pt-3 pb-3">
        <h2 className="font-semibold text-base">Preview</h2>
        <p role="status" className="text-ink-2 text-sm">
          {runCount === null ? (
            'The runs appear here when everything fits.'
          ) : existing ? (
            <>
              <span className="num font-semibold text-ink">{addedCount}</span> new {addedCount === 1 ? 'run' : 'runs'},{' '}
              {plural(runCount, 'run')} in all
            </>
          ) : (
            <>
              <span className="num font-semibold text-ink">{runCount}</span> {runCount === 1 ? 'run' : 'runs'} of{' '}
              {plural(expansion?.ok ? expansion.variants.length : 0, 'variant')}
            </>
          )}
        </p>
      </div>
      {expansion?.ok && <PreviewTable variants={expansion.variants} newRuns={newRuns} />}
      {expansion?.ok && (newRuns === null || addedCount > 0) && <CostSummary newRuns={newRuns} />}
      <div className="space-y-3 border-t p-4">
        {problems.length > 0 && (
          <div role={isTried ? 'alert' : undefined}>
            <p className={isTried ? 'font-medium text-bad text-sm' : 'text-ink-3 text-xs'}>
              {isTried ? `${plural(problems.length, 'thing')} to mend first` : 'Still to do'}
            </p>
            <ul className="mt-1 max-h-56 space-y-0.5 overflow-y-auto">
              {problems.map(({ path, message }) => (
                <li key={`${path} ${message}`}>
                  <button
                    type="button"
                    onClick={() => onGoTo(path)}
                    className="rounded-control text-left text-ink-2 text-sm underline decoration-line-strong underline-offset-2 hover:text-ink"
                  >
                    {message}
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )}
        {error && readProblems(error).length === 0 ? (
          <Notice tone="bad" title={existing ? 'The study was not extended' : 'The study was not created'}>
            {describeError(error)}
          </Notice>
        ) : null}
        <Button
          type="submit"
          variant="primary"
          size="lg"
          busy={isBusy}
          disabled={existing !== null && problems.length === 0 && addedCount === 0}
          className="w-full"
        >
          {existing ? (addedCount > 0 ? `Add ${plural(addedCount, 'run')}` : 'Add runs') : 'Create study'}
        </Button>
      </div>
    </aside>
  );
}
