/** What Next hands a page of its address's search part. */
export type SearchParams = Record<string, string | string[] | undefined>;

/** A search parameter given several times counts once: its first value. */
export const firstParam = (value: string | string[] | undefined): string | null =>
  (Array.isArray(value) ? value[0] : value) ?? null;
