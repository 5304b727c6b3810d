/** Which problems are shown where. */
import type { FieldProblem } from '@mealtable/protocol/study-design';

const isWithin = (path: string, field: string): boolean => path === field || path.startsWith(`${field}.`);

/** The first problem at a field or, with `deep`, at anything inside it. */
export const problemAt = (problems: readonly FieldProblem[], field: string, deep = false): string | null =>
  problems.find(({ path }) => (deep ? isWithin(path, field) : path === field))?.message ?? null;

/**
 * Nobody wants to be told off for a field not yet reached: a problem shows once its field was left, or once
 * creating was tried.
 */
export const visibleProblems = (
  problems: readonly FieldProblem[],
  touched: ReadonlySet<string>,
  isTried: boolean,
): FieldProblem[] =>
  isTried
    ? [...problems]
    : problems.filter(({ path }) => [...touched].some((field) => isWithin(path, field) || isWithin(field, path)));

/** The element of the form that shows a path, or the nearest around it. */
export function findField(form: HTMLElement, path: string): HTMLElement | null {
  for (let at = path; at !== ''; at = at.includes('.') ? at.slice(0, at.lastIndexOf('.')) : '') {
    const found = form.querySelector<HTMLElement>(`[data-path="${CSS.escape(at)}"]`);
    if (found) return found;
  }
  return null;
}

/** Brings a field into sight and puts the cursor there. */
export function goToField(form: HTMLElement, path: string): void {
  const field = findField(form, path);
  if (!field) return;
  field.scrollIntoView({ block: 'center', behavior: 'smooth' });
  field.querySelector<HTMLElement>('input:enabled, textarea:enabled, button:enabled')?.focus({ preventScroll: true });
}
