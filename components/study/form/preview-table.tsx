import type { PlannedVariant } from '@mealtable/protocol/expand-design';
import { cn } from '../../ui/cn';
import { ScrollRegion } from '../../ui/scroll-region';
import { ROLE_HEADINGS } from '../../words';

/** More rows than this say nothing more; the count does. */
const MAX_ROWS = 120;
/** More seeds than this are counted instead of listed. */
const MAX_SEEDS = 8;

/** Variants by seeds, as the study will list them. @param newRuns marks what an extension adds */
export function PreviewTable({
  variants,
  newRuns,
}: {
  variants: readonly PlannedVariant[];
  newRuns: ReadonlySet<string> | null;
}) {
  const shown = variants.slice(0, MAX_ROWS);
  return (
    <ScrollRegion label="Variants and seeds" className="max-h-[min(46vh,520px)] overflow-auto border-t">
      <table aria-label="Variants and seeds" className="w-full border-collapse text-xs">
        <thead className="sticky top-0 bg-sunken text-ink-3">
          <tr>
            <th scope="col" className="px-4 py-1.5 text-left font-medium">
              Variant
            </th>
            <th scope="col" className="px-4 py-1.5 text-right font-medium">
              Seeds
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((variant, index) => (
            <tr key={variant.key} className="border-t align-top first:border-t-0">
              <td className="px-4 py-1.5">
                {variant.role !== shown[index - 1]?.role && (
                  <span className="mb-0.5 block font-medium text-ink-3">{ROLE_HEADINGS[variant.role]}</span>
                )}
                {variant.label}
              </td>
              <td className="num whitespace-nowrap px-4 py-1.5 text-right align-bottom">
                <Seeds variant={variant} newRuns={newRuns} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {variants.length > MAX_ROWS && (
        <p className="border-t px-4 py-2 text-ink-3 text-xs">and {variants.length - MAX_ROWS} more variants</p>
      )}
    </ScrollRegion>
  );
}

function Seeds({ variant, newRuns }: { variant: PlannedVariant; newRuns: ReadonlySet<string> | null }) {
  const isNew = (key: string) => newRuns?.has(key) ?? false;
  if (variant.runs.length > MAX_SEEDS) {
    const added = variant.runs.filter((run) => isNew(run.key)).length;
    return (
      <span title={variant.runs.map((run) => run.seed).join(', ')}>
        {variant.runs.length} seeds{added > 0 && <span className="text-accent">, {added} new</span>}
      </span>
    );
  }
  return variant.runs.map((run, index) => (
    <span key={run.key}>
      {index > 0 && ' '}
      <span
        title={isNew(run.key) ? 'new' : undefined}
        className={cn(
          newRuns && !isNew(run.key) && 'text-ink-3',
          isNew(run.key) && 'rounded bg-accent-soft px-1 font-semibold text-accent',
        )}
      >
        {run.seed}
      </span>
    </span>
  ));
}
