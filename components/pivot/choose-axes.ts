/** Which of a study's factors stand on which axis of its pivot, and at which level the others are held. */
import { FACTOR_NAMES, type FactorName, levelKey, levelWords } from '@mealtable/protocol/factor-levels';
import type { Levels } from '@mealtable/protocol/study-design';
import type { Top1Row } from '@mealtable/protocol/views';

export type Student = Top1Row & { levels: Levels };
export const isStudent = (row: Top1Row): row is Student => row.role === 'student' && row.levels !== null;

export interface Level {
  key: string;
  words: string;
  /** The reference variant has it. */
  isReference: boolean;
}
export interface Factor {
  name: FactorName;
  /** In the order of the table. */
  levels: Level[];
}
export interface Axes {
  /** Outermost first. */
  rows: Factor[];
  columns: Factor[];
  /** On neither axis though the study varies them: each cell is of this level. */
  held: { factor: Factor; level: Level }[];
  /** All that may be chosen. */
  factors: Factor[];
}
export interface AxisChoice {
  rows: readonly FactorName[] | null;
  columns: readonly FactorName[] | null;
  held: Partial<Record<FactorName, string>>;
}

/** There to be chosen even where a study has one level of them: a table names its teachers and its size. */
const ALWAYS: readonly FactorName[] = ['teachers', 'discriminator', 'inputSize'];

/** @param students in the order of the table @param reference null where it is no student variant */
export function chooseAxes(students: readonly Student[], reference: Student | null, choice: AxisChoice): Axes {
  const all = FACTOR_NAMES.map((name) => factorOf(students, name, reference));
  const factors = all.filter(({ name, levels }) => levels.length > 1 || ALWAYS.includes(name));
  const varied = factors.filter(({ levels }) => levels.length > 1).map(({ name }) => name);
  const suggested = suggestAxes(varied);
  const known = (names: readonly FactorName[]) =>
    names.flatMap((name) => factors.find((factor) => factor.name === name) ?? []);
  const rows = known(choice.rows ?? suggested.rows.filter((name) => !choice.columns?.includes(name)));
  const columns = known(choice.columns ?? suggested.columns).filter((factor) => !rows.includes(factor));
  const held = factors
    .filter((factor) => varied.includes(factor.name) && !rows.includes(factor) && !columns.includes(factor))
    .map((factor) => ({ factor, level: heldLevel(factor, choice.held[factor.name]) }));
  return { rows, columns, held, factors };
}

/** The last of teachers, discriminator and size that is varied goes to the columns, which stay few; all else to the rows. */
function suggestAxes(varied: readonly FactorName[]): { rows: FactorName[]; columns: FactorName[] } {
  const last = varied.filter((name) => ALWAYS.includes(name)).at(-1);
  const columns = last === undefined || (last === 'teachers' && varied.length === 1) ? [] : [last];
  const rows = varied.filter((name) => !columns.includes(name));
  return { rows: rows.length > 0 ? rows : ['teachers'], columns };
}

function factorOf(students: readonly Student[], name: FactorName, reference: Student | null): Factor {
  const words = new Map(students.map((student) => [levelKey(student.levels, name), levelWords(student, name)]));
  const own = reference && levelKey(reference.levels, name);
  return { name, levels: [...words].map(([key, text]) => ({ key, words: text, isReference: key === own })) };
}

function heldLevel({ levels }: Factor, chosen: string | undefined): Level {
  const level = levels.find(({ key }) => key === chosen) ?? levels.find(({ isReference }) => isReference) ?? levels[0];
  if (level === undefined) throw new Error('A factor without levels is on no axis.');
  return level;
}
