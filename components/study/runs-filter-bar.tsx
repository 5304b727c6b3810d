'use client';
import { RUN_STATUSES } from '@mealtable/protocol/statuses';
import type { RunSummaryView } from '@mealtable/protocol/views';
import { SearchBox } from '../ui/search-box';
import { Select } from '../ui/select';
import { countStatuses } from '../ui/status-counts';
import { STATUS_WORDS } from '../words';
import type { RunFilter } from './filter-runs';

interface RunsFilterBarProps {
  runs: readonly RunSummaryView[];
  filter: RunFilter;
  onChange: (filter: RunFilter) => void;
}

export function RunsFilterBar({ runs, filter, onChange }: RunsFilterBarProps) {
  const counts = countStatuses(runs);
  const options = [
    { value: 'all' as const, label: 'All statuses', detail: runs.length },
    ...RUN_STATUSES.map((status) => ({ value: status, label: STATUS_WORDS[status], detail: counts[status] })),
  ];
  return (
    <div className="mb-3 flex flex-wrap gap-2">
      <SearchBox
        label="Filter runs"
        value={filter.text}
        onChange={(text) => onChange({ ...filter, text })}
        className="w-full sm:w-72"
      />
      <Select
        aria-label="Status"
        value={filter.status}
        options={options}
        onChange={(status) => onChange({ ...filter, status })}
        className="w-40"
      />
    </div>
  );
}
