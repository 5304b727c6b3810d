// biome-ignore-all lint/a11y/useSemanticElements: rows and cells of a real table cannot be placed where they would scroll to
'use client';
import type { RunsTableState } from '@mealtable/protocol/run-query-address';
import { MAX_GROUP_FIELDS } from '@mealtable/protocol/run-query-view';
import {
  ArrowDown,
  ArrowLeft,
  ArrowRight,
  ArrowUp,
  ChevronDown,
  EyeOff,
  Group,
  Pin,
  PinOff,
  StretchHorizontal,
} from 'lucide-react';
import { type DragEvent, type KeyboardEvent, useState } from 'react';
import { cn } from '../ui/cn';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu';
import { dropColumn, hideColumn, moveColumn, pinColumn, resizeColumn, toggleSort } from './change-columns';
import { HEAD_HEIGHT, isRightAligned, sortsDownFirst } from './column-looks';
import type { PlacedColumn } from './grid-layout';
import { ResizeHandle } from './resize-handle';
import type { ChangeTable } from './use-table-state';

interface HeadCellProps {
  placed: PlacedColumn;
  state: RunsTableState;
  onChange: ChangeTable;
  isPinned: boolean;
  isLastPinned: boolean;
}

const DRAG_TYPE = 'application/x-mealtable-column';
const KEY_STEP = 16;

/** A column's heading: sorts, and with its menu, by dragging or by keys, changes the column. */
export function HeadCell({ placed, state, onChange, isPinned, isLastPinned }: HeadCellProps) {
  const { field, width, left, number } = placed;
  const { name } = field;
  const { columns } = state;
  const [isTarget, setTarget] = useState(false);
  const place = state.sort.findIndex((key) => key.field === name);
  const key = state.sort[place];
  const isRight = isRightAligned(field);
  const sort = (isFurther: boolean) =>
    onChange({ sort: toggleSort(state.sort, name, { isFurther, descendingFirst: sortsDownFirst(field) }) });
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : null;
    if (by === null || !event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    onChange({
      columns: event.shiftKey ? resizeColumn(columns, name, width + by * KEY_STEP) : moveColumn(columns, name, by),
    });
  };
  const Arrow = key?.descending ? ArrowDown : ArrowUp;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the buttons inside have the focus
    <div
      role="columnheader"
      aria-colindex={number}
      aria-sort={place !== 0 ? undefined : key?.descending ? 'descending' : 'ascending'}
      className={cn(
        'group/head relative flex shrink-0 items-center border-b bg-sunken px-3',
        isPinned && 'sticky z-10',
        isLastPinned && 'border-r',
        isTarget && 'bg-accent-soft',
      )}
      style={{ width, height: HEAD_HEIGHT, ...(isPinned && { left }) }}
      onDragOver={(event: DragEvent) => {
        if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
        event.preventDefault();
        setTarget(true);
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={(event: DragEvent) => {
        setTarget(false);
        event.preventDefault();
        onChange({ columns: dropColumn(columns, event.dataTransfer.getData(DRAG_TYPE), name) });
      }}
    >
      <button
        type="button"
        draggable
        data-column={name}
        onDragStart={(event) => {
          event.dataTransfer.setData(DRAG_TYPE, name);
          event.dataTransfer.effectAllowed = 'move';
        }}
        onClick={(event) => sort(event.shiftKey)}
        onKeyDown={onKeyDown}
        title={name}
        aria-describedby="runs-table-head-keys"
        className={cn(
          'inline-flex h-full min-w-0 grow items-center gap-1 font-medium text-ink-3 text-xs hover:text-ink',
          isRight && 'flex-row-reverse',
          key && 'text-ink',
        )}
      >
        <span className="truncate">{field.words}</span>
        {key && (
          <span className="inline-flex shrink-0 items-center">
            <Arrow aria-hidden className="size-3" />
            {state.sort.length > 1 && <span className="num text-2xs">{place + 1}</span>}
          </span>
        )}
      </button>
      <ColumnMenu placed={placed} state={state} onChange={onChange} />
      <ResizeHandle
        label={`Width of ${field.words}`}
        width={width}
        onResize={(next) => onChange({ columns: resizeColumn(columns, name, next) })}
      />
    </div>
  );
}

function ColumnMenu({
  placed: { column, field },
  state,
  onChange,
}: Pick<HeadCellProps, 'placed' | 'state' | 'onChange'>) {
  const { name } = field;
  const { columns, sort, group } = state;
  const others = sort.filter((key) => key.field !== name);
  const set = (descending: boolean) => onChange({ sort: [{ field: name, descending }] });
  const isGrouped = group.includes(name);
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={`Menu of ${field.words}`}
          className="absolute right-1.5 inline-flex size-5 shrink-0 bg-sunken pointer-coarse:relative pointer-coarse:right-0 items-center justify-center rounded text-ink-3 opacity-0 hover:bg-hover hover:text-ink focus-visible:opacity-100 group-hover/head:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
        >
          <ChevronDown aria-hidden className="size-3.5" />
        </button>
      }
    >
      <MenuItem icon={<ArrowUp aria-hidden />} onSelect={() => set(false)}>
        Sort upwards
      </MenuItem>
      <MenuItem icon={<ArrowDown aria-hidden />} onSelect={() => set(true)}>
        Sort downwards
      </MenuItem>
      {others.length > 0 && (
        <MenuItem onSelect={() => onChange({ sort: [...others, { field: name, descending: sortsDownFirst(field) }] })}>
          Sort by this after the others
        </MenuItem>
      )}
      <MenuSeparator />
      <MenuItem
        icon={<Group aria-hidden />}
        disabled={!isGrouped && group.length >= MAX_GROUP_FIELDS}
        onSelect={() =>
          onChange({ group: isGrouped ? group.filter((each) => each !== name) : [...group, name], open: [] })
        }
      >
        {isGrouped ? 'Do not group by this' : group.length > 0 ? 'Group by this, too' : 'Group by this'}
      </MenuItem>
      <MenuSeparator />
      <MenuItem
        icon={column.isPinned ? <PinOff aria-hidden /> : <Pin aria-hidden />}
        onSelect={() => onChange({ columns: pinColumn(columns, name, !column.isPinned) })}
      >
        {column.isPinned ? 'Unpin' : 'Pin to the left'}
      </MenuItem>
      <MenuItem icon={<ArrowLeft aria-hidden />} onSelect={() => onChange({ columns: moveColumn(columns, name, -1) })}>
        Move left
      </MenuItem>
      <MenuItem icon={<ArrowRight aria-hidden />} onSelect={() => onChange({ columns: moveColumn(columns, name, 1) })}>
        Move right
      </MenuItem>
      {column.width !== null && (
        <MenuItem
          icon={<StretchHorizontal aria-hidden />}
          onSelect={() => onChange({ columns: resizeColumn(columns, name, null) })}
        >
          Usual width
        </MenuItem>
      )}
      <MenuItem icon={<EyeOff aria-hidden />} onSelect={() => onChange({ columns: hideColumn(columns, name) })}>
        Hide
      </MenuItem>
    </Menu>
  );
}
