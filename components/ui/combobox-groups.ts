/** Options of a long list in groups, and what a search leaves of them. */
import type { ReactNode } from 'react';

export interface ComboboxOption<T extends string> {
  value: T;
  label: string;
  /** One for each of the list's columns, to the right of the name. */
  figures?: readonly string[];
  /** Instead of figures. */
  detail?: ReactNode;
  /** A warning under the name. */
  note?: string;
  /** Searched besides the label. */
  words?: string;
}
export interface OptionGroup<T extends string> {
  label: string;
  options: readonly ComboboxOption<T>[];
}

/** @returns the groups with the options that hold every word of `search` in their label, their words or their group's name */
export function filterGroups<T extends string>(groups: readonly OptionGroup<T>[], search: string): OptionGroup<T>[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return groups
    .map(({ label, options }) => ({
      label,
      options: options.filter((option) => {
        const text = `${option.label} ${option.words ?? ''} ${label}`.toLowerCase();
        return words.every((word) => text.includes(word));
      }),
    }))
    .filter(({ options }) => options.length > 0);
}
