import type { DatasetReport } from '@mealtable/protocol/agent-messages';
import { formatCount, plural } from '../format';
import { Notice } from '../ui/notice';

export function HostDatasets({ datasets }: { datasets: DatasetReport[] }) {
  return (
    <div className="border-t px-4 py-3">
      <h3 className="mb-1.5 font-medium text-ink-2 text-xs">Datasets</h3>
      {datasets.length === 0 && (
        <p className="text-ink-2 text-sm">
          None found. A dataset is a folder with <code className="text-xs">train/&lt;class&gt;</code> and{' '}
          <code className="text-xs">val/&lt;class&gt;</code> folders of JPEG or PNG images.
        </p>
      )}
      <ul className="divide-y">
        {datasets.map((dataset) => (
          <li key={dataset.name} className="py-1.5 text-sm">
            <div className="flex flex-wrap items-baseline gap-x-4">
              <span className="font-medium">{dataset.name}</span>
              <span className="text-ink-2">
                <span className="num">{formatCount(dataset.trainCount)}</span> train,{' '}
                <span className="num">{formatCount(dataset.valCount)}</span> val
              </span>
              <span className="text-ink-3">{plural(dataset.classNames.length, 'class', 'classes')}</span>
            </div>
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
