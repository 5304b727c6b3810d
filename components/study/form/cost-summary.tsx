'use client';
import { costOfStudy, type StudyCost } from '@mealtable/protocol/study-cost';
import type { StudyEstimate } from '@mealtable/protocol/study-estimate';
import { useMemo } from 'react';
import { formatBytes, formatDuration, formatMacs, plural } from '../../format';
import { cn } from '../../ui/cn';
import { Progress } from '../../ui/progress';
import { Skeleton } from '../../ui/skeleton';
import { useStudyForm } from './form-context';
import { useEstimate } from './use-estimate';

/** What the runs would compute, online and with shared labels; how long that takes on this hub; how many labels are there already. */
export function CostSummary({ newRuns }: { newRuns: ReadonlySet<string> | null }) {
  const { design, expansion, datasets, known } = useStudyForm();
  const dataset = datasets.find(({ name }) => name === design?.dataset);
  const cost = useMemo((): StudyCost | null => {
    if (!design || !expansion?.ok || !dataset) return null;
    const { trainCount, valCount, classNames } = dataset;
    const context = { classCount: classNames.length, trainCount, valCount, runs: known };
    return costOfStudy(design, expansion.variants, context, newRuns);
  }, [design, expansion, dataset, known, newRuns]);
  const { data: estimate, isError } = useEstimate();
  if (!cost || !design) return null;
  const isOnline = design.softLabels === undefined || design.softLabels.mode === 'online';
  return (
    <section aria-label="Cost" className="border-t px-4 py-3">
      <CostTable cost={cost} estimate={estimate ?? null} isOnline={isOnline} />
      <p className="mt-2 text-ink-3 text-xs">
        Multiply-accumulates; training counts as three forwards.{' '}
        {isError ? 'How long it takes could not be asked.' : estimate ? explainTimes(estimate) : null}
      </p>
      {estimate && !isOnline && <LabelledHosts estimate={estimate} />}
    </section>
  );
}

function CostTable({
  cost,
  estimate,
  isOnline,
}: {
  cost: StudyCost;
  estimate: StudyEstimate | null;
  isOnline: boolean;
}) {
  const { training, validation, teachers } = cost;
  const students = training.student + training.baseline;
  const rest = students + training.teacher + validation;
  const same = (macs: number) => [formatMacs(macs), formatMacs(macs)] as const;
  const rows: readonly (readonly [string, readonly [string, string]] | false)[] = [
    ['Students', same(students)],
    training.teacher > 0 && ['Networks trained first', same(training.teacher)],
    ['Validation', same(validation)],
    ['Teachers', [formatMacs(teachers.online), formatMacs(teachers.shared)]],
  ];
  const chosen = isOnline ? 0 : 1;
  const cell = (column: number) =>
    cn('num py-0.5 pl-3 text-right whitespace-nowrap', column === chosen ? 'text-ink' : 'text-ink-3');
  const time = (of: StudyEstimate['online'] | undefined, part: 'wallMs' | 'slotMs') =>
    of ? formatDuration(of[part]) : '–';
  const hasTimes = estimate?.online != null;
  return (
    <table aria-label="Cost with and without sharing" className="w-full border-collapse text-xs">
      <thead className="text-ink-3">
        <tr>
          <th scope="col" className="py-0.5 text-left font-semibold text-ink text-sm">
            Cost
          </th>
          {['Online', 'Shared'].map((name, column) => (
            <th
              key={name}
              scope="col"
              className={cn('py-0.5 pl-3 text-right font-medium', column === chosen && 'text-accent')}
            >
              {name}
              {column === chosen && <span className="sr-only"> (chosen)</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="text-ink-2">
        {rows
          .filter((row) => row !== false)
          .map(([name, values]) => (
            <Row key={name} name={name} values={values} cell={cell} />
          ))}
        <Row
          name="In all"
          values={[formatMacs(rest + teachers.online), formatMacs(rest + teachers.shared)]}
          cell={(column) => cn(cell(column), 'border-t font-semibold')}
        />
        {hasTimes && (
          <>
            <Row
              name="From start to end"
              values={[time(estimate.online, 'wallMs'), time(estimate.shared, 'wallMs')]}
              cell={cell}
            />
            <Row
              name="Time of slots"
              values={[time(estimate.online, 'slotMs'), time(estimate.shared, 'slotMs')]}
              cell={cell}
            />
          </>
        )}
        {estimate === null && (
          <tr>
            <td colSpan={3} className="py-1">
              <Skeleton className="h-4" />
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

interface RowProps {
  name: string;
  values: readonly [online: string, shared: string];
  cell: (column: number) => string;
}

const Row = ({ name, values, cell }: RowProps) => (
  <tr>
    <th
      scope="row"
      className={cn('py-0.5 text-left font-normal', cell(0).includes('border-t') && 'border-t font-semibold')}
    >
      {name}
    </th>
    {values.map((value, column) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: two columns that never move
      <td key={column} className={cell(column)}>
        {value}
      </td>
    ))}
  </tr>
);

/** Where the times come from, or why there are none. */
function explainTimes({ hosts, likeness, isOtherPrecision }: StudyEstimate): string {
  if (hosts.length === 0) return 'No host that has this dataset is online: nobody can say how long it takes.';
  if (likeness === null) return 'No run has been measured yet: how long it takes shows once one has trained here.';
  const measured = hosts.filter(({ measuredRuns }) => measuredRuns > 0);
  const runs = measured.reduce((sum, host) => sum + host.measuredRuns, 0);
  const slots = measured.reduce((sum, host) => sum + host.slots, 0);
  const where = measured.length === 1 ? measured[0]?.name : plural(measured.length, 'host');
  const left = hosts.length - measured.length;
  return [
    `Times are those of ${plural(runs, 'recent run')} on ${where}, on ${plural(slots, 'slot')} with nothing else to do.`,
    likeness === 'other-network' && 'Some networks have not been measured yet: expect large errors.',
    likeness === 'other-size' && 'Some input sizes have not been measured yet.',
    isOtherPrecision && 'They were measured in another precision.',
    left > 0 && `${plural(left, 'host')} without a measured run ${left === 1 ? 'does' : 'do'} not count.`,
  ]
    .filter((sentence) => sentence !== false)
    .join(' ');
}

/** How many of the labels hosts keep already. */
function LabelledHosts({ estimate: { hosts, labelBytes } }: { estimate: StudyEstimate }) {
  const shown = hosts.filter(({ labelled }) => labelled !== null);
  if (shown.length === 0) return null;
  return (
    <div className="mt-3">
      <h3 className="font-semibold text-sm">Labels that are there already</h3>
      <ul className="mt-1 space-y-1.5">
        {shown.map(({ hostId, name, labelled }) => (
          <li key={hostId} className="text-xs">
            <div className="flex items-baseline justify-between gap-3">
              <span className="min-w-0 truncate text-ink-2" title={name}>
                {name}
              </span>
              <span className="num shrink-0">{formatShare(labelled ?? 0)}</span>
            </div>
            <Progress value={labelled} label={`Labels on ${name}`} className="mt-0.5" />
          </li>
        ))}
      </ul>
      <p className="mt-1.5 text-ink-3 text-xs">All of them take {formatBytes(labelBytes)} on a host.</p>
    </div>
  );
}

/** Only all is 100 %, and only none is 0 %. */
const formatShare = (share: number): string => {
  const percent = Math.round(share * 100);
  return `${share > 0 && share < 1 ? Math.min(99, Math.max(1, percent)) : percent} %`;
};
