'use client';
import type { NetworkName } from '@mealtable/protocol/networks';
import { explainNameTrap, PUBLISHED_CLASS_COUNT, weightsOf } from '@mealtable/protocol/published-weights';
import type { PretrainedStart } from '@mealtable/protocol/run-config';
import { plural } from '../../format';
import { LabelledCheckbox } from '../../ui/checkbox';
import { Combobox } from '../../ui/combobox';
import type { OptionGroup } from '../../ui/combobox-groups';
import type { FieldControl } from '../../ui/field';
import { Notice } from '../../ui/notice';
import { FIGURE_COLUMNS, weightsOption } from './network-options';

interface StartPickerProps extends FieldControl {
  /** Of the network that starts. */
  network: NetworkName;
  value: string;
  /** Runs and networks to train first that fit. */
  others: OptionGroup<string>['options'];
  onChange: (value: string) => void;
  size: number;
  disabled?: boolean;
}

export const RANDOM_START = 'random';

/** Random weights, those of another training, or published ones of the same network. */
export function StartPicker({ network, others, size, ...rest }: StartPickerProps) {
  const published = weightsOf(network).map((known) => weightsOption(known, size));
  const groups: OptionGroup<string>[] = [
    { label: 'From nothing', options: [{ value: RANDOM_START, label: 'Random weights' }] },
    { label: 'Trained here', options: others },
    { label: `Published weights of ${network}`, options: published },
  ];
  return (
    <Combobox
      {...rest}
      groups={groups.filter(({ options }) => options.length > 0)}
      searchLabel="Search starts"
      columns={published.length > 0 ? FIGURE_COLUMNS : undefined}
      footer={
        published.length > 0
          ? `GMACs at ${size} pixels; the size of the published top-1 on ImageNet, in percent.`
          : `No weights of ${network} are published.`
      }
    />
  );
}

interface HeadChoiceProps {
  start: PretrainedStart;
  dataset: string;
  /** Of the dataset; null when it is not known. */
  classCount: number | null;
  disabled?: boolean;
  onChange: (start: PretrainedStart) => void;
}

/** Whether the published classifier is kept: said explicitly, and a must where the dataset has other classes. */
export function HeadChoice({ start, dataset, classCount, disabled, onChange }: HeadChoiceProps) {
  const differs = classCount !== null && classCount !== PUBLISHED_CLASS_COUNT;
  const classes = classCount === null ? 'the dataset’s classes' : plural(classCount, 'class', 'classes');
  return (
    <>
      <LabelledCheckbox
        label="Replace the head"
        hint={
          differs
            ? `Needed: the weights know 1,000 classes, ${dataset} has ${classCount}. All but the classifier is taken.`
            : `Takes all but the classifier, which starts freshly drawn for ${classes}.`
        }
        disabled={disabled}
        checked={start.head === 'replace'}
        onChange={(replaces) => onChange({ ...start, head: replaces ? 'replace' : 'keep' })}
      />
      <TrapNotice weights={start.weights} className="mt-2" />
    </>
  );
}

/** Says what is easily mistaken of these weights' name; nothing for most. */
export function TrapNotice({ weights, className }: { weights: string; className?: string }) {
  const trap = explainNameTrap(weights);
  if (!trap?.mistakable) return null;
  return (
    <Notice tone="warn" className={className}>
      <span className="font-medium text-ink">{weights}:</span> {trap.text}
    </Notice>
  );
}
