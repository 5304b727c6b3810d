'use client';
import type { PublishedStudyName } from '@mealtable/protocol/published-studies';
import { hasBestEpoch, type Top1Metric } from '@mealtable/protocol/top1-metrics';
import type { Top1Row as Row } from '@mealtable/protocol/views';
import { Fragment, useState } from 'react';
import { cn } from '../ui/cn';
import { Table, Th } from '../ui/table';
import { Tip } from '../ui/tooltip';
import { ROLE_HEADINGS } from '../words';
import { CostHeadings } from './cost-cells';
import { PublishedRow } from './published-row';
import type { TableCosts } from './table-export';
import { groupRows, valueRange } from './top1-groups';
import { Top1Row } from './top1-row';

/** Without columns of cost, and without that of the best epoch. */
const COLUMNS = 8;

interface Top1VariantsProps {
  rows: readonly Row[];
  decimals: number;
  metric: Top1Metric;
  costs: TableCosts | null;
  reproduces: PublishedStudyName | undefined;
  onReference: (variantId: string) => void;
}

/** A row per variant. */
export function Top1Variants({ rows, decimals, metric, costs, reproduces, onReference }: Top1VariantsProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const range = valueRange(rows);
  const hasEpoch = hasBestEpoch(metric);
  const columns = COLUMNS + (hasEpoch ? 1 : 0) + (costs?.names.length ?? 0);
  const toggle = (id: string) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <Table label="Top-1 by variant">
      <thead>
        <tr>
          <Th className="hidden w-10 pr-0 sm:table-cell">
            <Tip text="The reference that differences are taken to">
              <span>Ref.</span>
            </Tip>
          </Th>
          {/* With columns of cost the table is wider than a phone: names stay in sight. */}
          <Th className={cn('sm:pl-1.5', costs && 'sticky left-0 z-10')}>Teachers or network</Th>
          <Th className="hidden md:table-cell">Discriminator</Th>
          <Th align="right" className="hidden md:table-cell">
            Size
          </Th>
          <Th align="right" className="hidden md:table-cell">
            <Tip text="Seeds that succeeded, of all">
              <span>n</span>
            </Tip>
          </Th>
          <Th className={cn('hidden w-40', !costs && 'md:table-cell')}>Seeds</Th>
          <Th align="right" className="sm:pr-[calc(7.5ch+12px)]">
            Top-1
          </Th>
          {hasEpoch && (
            <Th align="right" className="hidden md:table-cell">
              <Tip text="Median over seeds of the epoch with the highest top-1">
                <span>Best epoch</span>
              </Tip>
            </Th>
          )}
          <Th align="right">
            <Tip text="Mean of the paired differences over the seeds that both have, in points, with the 95 % interval of Student’s t and the two-sided p of the paired t test">
              <span>Difference{!costs && <span className="hidden lg:inline"> to reference</span>}</span>
            </Tip>
          </Th>
          {costs && <CostHeadings costs={costs} />}
        </tr>
      </thead>
      <tbody>
        {groupRows(rows).map((group) => (
          <Fragment key={group.role}>
            <tr>
              <th
                scope="colgroup"
                colSpan={columns}
                className="border-b bg-sunken/60 px-3 py-1.5 text-left font-semibold text-ink-2 text-xs"
              >
                {ROLE_HEADINGS[group.role]}
              </th>
            </tr>
            {group.rows.map((row) => (
              <Top1Row
                key={row.variantId}
                row={row}
                range={range}
                decimals={decimals}
                hasEpoch={hasEpoch}
                costs={costs}
                isOpen={open.has(row.variantId)}
                onToggle={() => toggle(row.variantId)}
                onReference={() => onReference(row.variantId)}
                columns={columns}
              />
            ))}
          </Fragment>
        ))}
        {reproduces && (
          <PublishedRow
            name={reproduces}
            columns={columns}
            decimals={decimals}
            hasStrip={!costs}
            after={columns - COLUMNS + 1}
          />
        )}
      </tbody>
    </Table>
  );
}
