'use client';
import type { NetworkName } from '@mealtable/protocol/networks';
import { useMemo } from 'react';
import { Combobox } from '../../ui/combobox';
import type { FieldControl } from '../../ui/field';
import { FIGURE_COLUMNS, networkGroups } from './network-options';

interface NetworkPickerProps extends FieldControl {
  value: NetworkName;
  onChange: (network: NetworkName) => void;
  /** Pixels that the costs are shown for. */
  size: number;
  disabled?: boolean;
}

export function NetworkPicker({ size, ...rest }: NetworkPickerProps) {
  const groups = useMemo(() => networkGroups(size), [size]);
  return (
    <Combobox
      {...rest}
      groups={groups}
      searchLabel="Search networks"
      columns={FIGURE_COLUMNS}
      footer={`GMACs at ${size} pixels; usual input size; the best top-1 published on ImageNet, in percent.`}
    />
  );
}
