/** Numbers as somebody types them. */

/** An empty field is missing, not zero. */
export const toNumber = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text.trim()));

export const toNumbers = (text: string): number[] =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

/** For fields with a default in the schema: emptied, they must not silently become the default. */
export const toGivenNumber = (text: string): number => toNumber(text) ?? Number.NaN;
