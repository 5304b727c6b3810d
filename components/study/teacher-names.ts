import type { Top1Row } from '@mealtable/protocol/views';

/** The teachers' part of a student variant's label: what stands before its discriminator and size. */
export function teacherNames(row: Pick<Top1Row, 'label' | 'levels'>): string | null {
  if (!row.levels) return null;
  const { discriminator, inputSize } = row.levels;
  const tail = ` · discriminator ${discriminator ? 'on' : 'off'} · ${inputSize} px`;
  return row.label.endsWith(tail) ? row.label.slice(0, -tail.length) : row.label;
}

/** A row's label for narrow places; the teachers' names stay whole, since they tell rows apart. */
export function shortLabel(row: Pick<Top1Row, 'label' | 'levels'>): string {
  const names = teacherNames(row);
  if (names === null || !row.levels) return row.label;
  return `${names} · discr. ${row.levels.discriminator ? 'on' : 'off'} · ${row.levels.inputSize} px`;
}
