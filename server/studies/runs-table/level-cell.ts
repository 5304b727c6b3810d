/** The level that a variant has of a factor, as a value that can be sorted, filtered and shown. */
import { type FactorName, levelWords } from '@mealtable/protocol/factor-levels';
import type { RunCell } from '@mealtable/protocol/run-query-view';
import { choiceOf, discriminatorWord } from '@mealtable/protocol/study-choices';
import type { Levels } from '@mealtable/protocol/study-design';
import { refKey } from '@mealtable/protocol/variant-key';

export function levelCell(levels: Levels, name: FactorName): RunCell {
  switch (name) {
    case 'teachers':
      return levels.teachers.map(refKey);
    case 'discriminator':
      return discriminatorWord(levels.discriminator);
    case 'inputSize':
      return levels.inputSize;
    // Null: the student's.
    case 'teacherInputSize':
      return choiceOf(levels, name) ?? levels.inputSize;
    case 'ensemble':
    case 'temperature':
    case 'hardLabelWeight':
      return choiceOf(levels, name);
    case 'mixing':
    case 'ema':
      return choiceOf(levels, name) === null ? null : levelWords({ label: '', levels }, name);
  }
}
