'use client';
import { Check, ChevronDown } from 'lucide-react';
import { Popover as Primitive } from 'radix-ui';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { cn } from './cn';
import { filterGroups, type OptionGroup } from './combobox-groups';
import type { FieldControl } from './field';
import { controlClass } from './input';
import { SearchBox } from './search-box';

interface ComboboxProps<T extends string> extends Partial<FieldControl> {
  value: T | undefined;
  onChange: (value: T) => void;
  groups: readonly OptionGroup<T>[];
  /** For screen readers, e.g. "Search networks". */
  searchLabel: string;
  placeholder?: string;
  disabled?: boolean;
  /** Headings of the options' figures. */
  columns?: readonly string[];
  /** Under the list, e.g. what the figures mean. */
  footer?: ReactNode;
}

/** One of many: a button that opens a searchable list in groups, with figures beside each name. */
export function Combobox<T extends string>(props: ComboboxProps<T>) {
  const {
    value,
    onChange,
    groups,
    searchLabel,
    placeholder = 'Choose…',
    disabled,
    columns,
    footer,
    ...control
  } = props;
  const [isOpen, setOpen] = useState(false);
  const chosen = groups.flatMap(({ options }) => options).find((option) => option.value === value);
  return (
    // Modal: inside of a dialog the list could not be scrolled otherwise.
    <Primitive.Root open={isOpen} onOpenChange={setOpen} modal>
      <Primitive.Trigger
        {...control}
        role="combobox"
        aria-haspopup="listbox"
        aria-expanded={isOpen}
        disabled={disabled}
        className={cn(
          controlClass,
          'inline-flex h-8 items-center justify-between gap-2 text-left pointer-coarse:h-10',
          !chosen && 'text-ink-3',
        )}
      >
        <span className="truncate">{chosen?.label ?? placeholder}</span>
        <ChevronDown aria-hidden className="size-3.5 shrink-0 text-ink-3" />
      </Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label={searchLabel}
          className="z-50 flex max-h-[min(var(--radix-popover-content-available-height),28rem)] w-[max(var(--radix-popover-trigger-width),33rem)] max-w-[calc(100vw-16px)] animate-rise flex-col overflow-hidden rounded-lg border bg-raised shadow-raised outline-none"
        >
          <SearchList
            value={value}
            groups={groups}
            searchLabel={searchLabel}
            columns={columns}
            onPick={(next) => {
              onChange(next);
              setOpen(false);
            }}
          />
          {footer && <p className="border-t bg-sunken px-3 py-1.5 text-2xs text-ink-3">{footer}</p>}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

interface SearchListProps<T extends string> {
  value: T | undefined;
  groups: readonly OptionGroup<T>[];
  searchLabel: string;
  columns: readonly string[] | undefined;
  onPick: (value: T) => void;
}

/** The cursor stays in the search box; the arrow keys move through what matches. */
function SearchList<T extends string>({ value, groups, searchLabel, columns, onPick }: SearchListProps<T>) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [search, setSearch] = useState('');
  const shown = filterGroups(groups, search);
  const options = shown.flatMap((group) => group.options);
  const [active, setActive] = useState<T | undefined>(value);
  const at = Math.max(
    0,
    options.findIndex((option) => option.value === active),
  );
  const current = options[at];
  const optionId = (option: T) => `${id}-${option}`;

  useEffect(() => {
    const row = current && list.current?.querySelector(`[data-value="${CSS.escape(current.value)}"]`);
    row?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (move !== undefined) {
      event.preventDefault();
      setActive(options[Math.min(options.length - 1, Math.max(0, at + move))]?.value);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (current) onPick(current.value);
    }
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the search box inside */}
      <div className="border-b p-2" onKeyDown={onKeyDown}>
        <SearchBox
          label={searchLabel}
          value={search}
          onChange={(next) => {
            setSearch(next);
            setActive(undefined);
          }}
          input={{
            role: 'combobox',
            'aria-expanded': true,
            'aria-controls': `${id}-list`,
            'aria-activedescendant': current && optionId(current.value),
          }}
        />
      </div>
      {columns && (
        <div aria-hidden className="flex flex-wrap gap-x-4 border-b bg-sunken py-1 pr-3 pl-8 text-2xs text-ink-3">
          <span className="hidden grow sm:block" />
          <span className="flex">
            <Cells values={columns} />
          </span>
        </div>
      )}
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label={searchLabel}
        tabIndex={-1}
        className="min-h-0 overflow-y-auto p-1"
      >
        {shown.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a listbox
          <div key={group.label} role="group" aria-label={group.label}>
            <div aria-hidden className="px-2 pt-2 pb-0.5 font-medium text-2xs text-ink-3">
              {group.label}
            </div>
            {group.options.map((option) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the search box has the keys
              <div
                key={option.value}
                id={optionId(option.value)}
                role="option"
                tabIndex={-1}
                data-value={option.value}
                aria-selected={option.value === value}
                aria-labelledby={`${optionId(option.value)}-name`}
                aria-describedby={`${optionId(option.value)}-detail`}
                onClick={() => onPick(option.value)}
                onMouseMove={() => option.value !== current?.value && setActive(option.value)}
                className={cn(
                  'relative flex min-h-8 cursor-default select-none flex-wrap items-center gap-x-4 rounded-[5px] py-1 pr-2 pl-7 text-sm pointer-coarse:min-h-11',
                  option.value === current?.value && 'bg-hover',
                )}
              >
                {option.value === value && <Check aria-hidden className="absolute left-2 size-3.5 text-accent" />}
                <span
                  id={`${optionId(option.value)}-name`}
                  className={cn('min-w-0 grow break-words', option.figures && 'basis-full sm:basis-0')}
                >
                  {option.label}
                </span>
                {option.figures ? (
                  <>
                    <span aria-hidden className="flex text-ink-2 text-xs">
                      <Cells values={option.figures} isNumeric />
                    </span>
                    <span id={`${optionId(option.value)}-detail`} className="sr-only">
                      {option.figures.map((figure, i) => `${columns?.[i] ?? ''} ${figure}`).join(', ')}
                    </span>
                  </>
                ) : (
                  <span id={`${optionId(option.value)}-detail`} className="text-right text-ink-3 text-xs">
                    {option.detail}
                  </span>
                )}
                {option.note && <span className="basis-full pb-0.5 text-warn text-xs">{option.note}</span>}
              </div>
            ))}
          </div>
        ))}
        {options.length === 0 && <p className="px-2 py-4 text-center text-ink-3 text-sm">Nothing matches.</p>}
      </div>
    </>
  );
}

/** As wide in the heading as in every row. */
function Cells({ values, isNumeric = false }: { values: readonly string[]; isNumeric?: boolean }) {
  // Columns do not move, and two of them may hold the same figure.
  const columns = values.map((value, index) => ({ key: String(index), value }));
  return columns.map(({ key, value }) => (
    <span
      key={key}
      className={cn('w-17 shrink-0 text-right first:text-left sm:w-15 sm:first:text-right', isNumeric && 'num')}
    >
      {value}
    </span>
  ));
}
