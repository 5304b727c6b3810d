'use client';
import { useMemo } from 'react';
import { FIGURE_COLUMNS, weightsGroups } from '../study/form/network-options';
import { Combobox } from '../ui/combobox';
import type { FieldControl } from '../ui/field';

interface WeightsPickerProps extends FieldControl {
  value: string | undefined;
  onChange: (weights: string) => void;
}

export function WeightsPicker(props: WeightsPickerProps) {
  const groups = useMemo(() => weightsGroups(({ published }) => published.preprocessing.inputSize), []);
  return (
    <Combobox
      {...props}
      groups={groups}
      searchLabel="Search published weights"
      placeholder="Choose published weights…"
      columns={FIGURE_COLUMNS}
      footer="GMACs at each one’s size, which the top-1 published on ImageNet, in percent, is for."
    />
  );
}
