/** @returns the whole number that a field holds, null for an empty one, undefined for anything else */
export function readWhole(text: string, least: number, most = 1_000): number | null | undefined {
  if (text.trim() === '') return null;
  const number = Number(text);
  return Number.isInteger(number) && number >= least && number <= most ? number : undefined;
}
