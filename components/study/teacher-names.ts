import { teachersInLabel } from '@mealtable/protocol/factor-levels';
import { describeChoices, discriminatorWord } from '@mealtable/protocol/study-choices';
import type { Top1Row } from '@mealtable/protocol/views';

/** The teachers' part of a student variant's label: what stands before its other levels. */
export const teacherNames = (row: Pick<Top1Row, 'label' | 'levels'>): string | null =>
  row.levels && teachersInLabel(row.label, row.levels);

/** A row's label for narrow places; the teachers' names stay whole, since they tell rows apart. */
export function shortLabel(row: Pick<Top1Row, 'label' | 'levels'>): string {
  const names = teacherNames(row);
  if (names === null || !row.levels) return row.label;
  const { discriminator, inputSize } = row.levels;
  return [names, `discr. ${discriminatorWord(discriminator)}`, `${inputSize} px`, ...otherLevels(row)].join(' · ');
}

/** Of a student variant, its levels besides teachers, discriminator and size, as far as they are not MEAL V2's own. */
export const otherLevels = (row: Pick<Top1Row, 'levels'>): string[] => (row.levels ? describeChoices(row.levels) : []);
