'use client';
import { useMemo } from 'react';
import { weightsGroups } from '../study/form/network-options';
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
      footer="Parameters, multiply-accumulates per image, published top-1 on ImageNet in percent and the size it is for."
    />
  );
}
