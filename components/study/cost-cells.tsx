import { gigaMacs } from '@mealtable/protocol/registry';
import { formatCount, NONE, plural } from '../format';
import { Td, Th } from '../ui/table';
import { Tip } from '../ui/tooltip';
import { HOURS_WORDS, hoursSpread, hoursWords, imagesSpread, millionsWords, type VariantCost } from './costs';
import type { TableCosts } from './table-export';
import type { CostName } from './table-view';

const SLOTS = {
  gpu: 'Hours that a GPU was held',
  cpu: 'Hours that a CPU slot was held; no GPU was used',
  both: 'Hours that a slot was held, GPUs and CPU slots together',
};

/** What each column counts. */
function explain(name: CostName, slots: TableCosts['slots']): string {
  return {
    hours: `${SLOTS[slots]}, per run: from claim to end of all its attempts, lost and failed ones too. Mean ± standard deviation over the runs that succeeded. What its teachers took is not in it.`,
    parameters: 'Trainable parameters of the network that is trained, in millions',
    macs: 'Multiply-accumulates of one forward pass of one image at the input size, in billions: convolutions and matrix products',
    images:
      'Training images per second: the median of each run’s train/images_per_s, teachers and reading included; mean ± standard deviation over the runs that succeeded',
  }[name];
}
const HEADINGS: Record<CostName, (slots: TableCosts['slots']) => string> = {
  hours: (slots) => HOURS_WORDS[slots],
  parameters: () => 'Params (M)',
  macs: () => 'GMACs',
  images: () => 'Images/s',
};

export const CostHeadings = ({ costs: { names, slots } }: { costs: TableCosts }) =>
  names.map((name) => (
    <Th key={name} align="right">
      <Tip text={explain(name, slots)}>
        <span>{HEADINGS[name](slots)}</span>
      </Tip>
    </Th>
  ));

export const CostCells = ({ names, cost }: { names: readonly CostName[]; cost: VariantCost }) =>
  names.map((name) => (
    <Td key={name} align="right" className="num whitespace-nowrap" title={titleOf(name, cost)}>
      {contentOf(name, cost)}
    </Td>
  ));

function contentOf(name: CostName, { hours, parameters, macs, imagesPerS, total }: VariantCost) {
  if (name === 'parameters') return parameters === null ? NONE : millionsWords(parameters);
  if (name === 'macs') return macs === null ? NONE : gigaMacs(macs);
  const spread = name === 'hours' ? hours && hoursSpread(hours) : imagesPerS && imagesSpread(imagesPerS);
  if (spread) return <Spread mean={spread[0]} std={spread[1]} />;
  if (name === 'hours' && total.attempts > 0)
    return (
      <span className="text-ink-3">
        {hoursWords(total.hours)} {total.isOpen ? 'so far' : 'spent'}
      </span>
    );
  return NONE;
}

const Spread = ({ mean, std }: { mean: string; std: string | null }) => (
  <>
    {mean}
    {std !== null && <span className="text-ink-3"> ± {std}</span>}
  </>
);

function titleOf(name: CostName, { total, parameters, macs, hours, imagesPerS }: VariantCost): string | undefined {
  if (name === 'parameters') return parameters === null ? undefined : `${formatCount(parameters)} parameters`;
  if (name === 'macs') return macs === null ? undefined : `${formatCount(macs)} multiply-accumulates`;
  if (name === 'images') return imagesPerS === null ? undefined : `Over ${plural(imagesPerS.n, 'run')}`;
  if (total.attempts === 0) return undefined;
  const all = `${plural(total.attempts, 'attempt')} of ${plural(total.runs, 'run')}: ${hoursWords(total.hours)} hours${total.isOpen ? ' so far' : ''}`;
  return hours === null ? all : `Over ${plural(hours.n, 'run')} that succeeded. All: ${all}`;
}
