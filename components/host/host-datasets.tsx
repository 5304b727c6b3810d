import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import { isValidationOnly } from '@mealtable/protocol/validation-only';
import { formatCount, plural } from '../format';
import { Notice } from '../ui/notice';

export function HostDatasets({ datasets }: { datasets: DatasetReport[] }) {
  return (
    <div className="border-t px-4 py-3">
      <h3 className="mb-1.5 font-medium text-ink-2 text-xs">Datasets</h3>
      {datasets.length === 0 && (
        <p className="text-ink-2 text-sm">
          None found. A dataset is a folder with <code className="text-xs">train/&lt;class&gt;</code> and{' '}
          <code className="text-xs">val/&lt;class&gt;</code> folders of JPEG or PNG images, ImageNet as it is published,
          or a folder of tar shards. Validation images alone will do for evaluations.
        </p>
      )}
      <ul className="divide-y">
        {datasets.map((dataset) => (
          <li key={dataset.name} className="py-1.5 text-sm">
            <div className="flex flex-wrap items-baseline gap-x-4">
              <span className="font-medium">{dataset.name}</span>
              <span className="text-ink-2">
                {isValidationOnly(dataset) ? (
                  'validation only, '
                ) : (
                  <>
                    <span className="num">{formatCount(dataset.trainCount)}</span> train,{' '}
                  </>
                )}
                <span className="num">{formatCount(dataset.valCount)}</span> val
              </span>
            </div>
            <Classes dataset={dataset} />
            {dataset.problems.length > 0 && (
              <Notice tone="warn" className="mt-1">
                <ul>
                  {dataset.problems.map((problem) => (
                    <li key={problem}>{problem}</li>
                  ))}
                </ul>
              </Notice>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Classes({ dataset: { classNames, classLabels } }: { dataset: DatasetReport }) {
  const count = plural(classNames.length, 'class', 'classes');
  if (classNames.length === 0) return <p className="text-ink-3">{count}</p>;
  return (
    <details>
      <summary className="w-fit cursor-pointer text-ink-3">{count}</summary>
      <ol className="mt-1 max-h-48 columns-2 gap-x-6 overflow-y-auto text-ink-2 text-xs md:columns-3">
        {classNames.map((name, index) => (
          <li key={name} className="truncate" title={name}>
            {classLabels?.[index] ?? name}
          </li>
        ))}
      </ol>
    </details>
  );
}
