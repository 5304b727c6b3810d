/** What a study varies and what all its runs have in common, in words. */
import { FACTOR_NAMES, FACTOR_WORDS, type FactorName } from '@mealtable/protocol/factor-levels';
import {
  CHOICE_NAMES,
  type ChoiceName,
  choiceKey,
  choiceOf,
  choiceWords,
  discriminatorWord,
  factorOf,
} from '@mealtable/protocol/study-choices';
import type { NetworkRef, StudyDesign } from '@mealtable/protocol/study-design';
import { ensembleKey, refKey, weightRatios } from '@mealtable/protocol/variant-key';

export interface DesignFactor {
  name: FactorName;
  words: string;
  /** At least one; with one alone the factor is not varied. */
  levels: string[];
}

/** @param runNames what runs that teach are called; one that is not known is a run of another study */
function teachersWords(teachers: readonly NetworkRef[], runNames: Readonly<Record<string, string>>): string {
  const ratios = weightRatios(teachers);
  const names = teachers.map((teacher, i) => {
    const name = teacher.kind === 'run' ? (runNames[teacher.runId] ?? 'a run of another study') : refKey(teacher);
    return ratios[i] === 1 ? name : `${name} × ${Number(ratios[i]?.toPrecision(4))}`;
  });
  return names.join(' + ');
}

const unique = (pairs: readonly (readonly [key: string, words: string])[]): string[] => [...new Map(pairs).values()];

/** Levels of one factor by key, in the order of the design; of a list, those that its variants have. */
function levelsOf(design: StudyDesign, name: FactorName, runNames: Readonly<Record<string, string>>): string[] {
  const { factors, list } = design;
  const isList = design.design === 'list';
  if (name === 'teachers') {
    const sets = isList ? list.map(({ teachers }) => teachers) : factors.teachers;
    return unique(sets.map((set) => [ensembleKey(set), teachersWords(set, runNames)]));
  }
  if (name === 'discriminator') {
    const levels = isList ? list.map(({ discriminator }) => discriminator) : factors.discriminator;
    return unique(levels.map((level) => [String(level), discriminatorWord(level)]));
  }
  if (name === 'inputSize') {
    const sizes = isList ? list.map(({ inputSize }) => inputSize) : factors.inputSize;
    return unique(sizes.map((size) => [String(size), `${size} px`]));
  }
  return choiceLevels(design, name);
}

function choiceLevels<K extends ChoiceName>({ design, factors, list }: StudyDesign, name: K): string[] {
  const levels =
    design === 'list'
      ? list.map((row) => choiceOf(row, name))
      : factorOf(factors as Parameters<typeof factorOf<K>>[0], name);
  return unique(levels.map((level) => [choiceKey(name, level), choiceWords(name, level)]));
}

/** Every factor that a study has, the varied ones first; MEAL V2's own levels of the others go without saying. */
export function designFactors(design: StudyDesign, runNames: Readonly<Record<string, string>>): DesignFactor[] {
  const factors = FACTOR_NAMES.map((name) => ({
    name,
    words: FACTOR_WORDS[name],
    levels: levelsOf(design, name, runNames),
  }));
  const isPlain = ({ name, levels }: DesignFactor) =>
    levels.length <= 1 &&
    (CHOICE_NAMES as readonly string[]).includes(name) &&
    isStandardAlone(design, name as ChoiceName);
  const shown = factors.filter((factor) => factor.levels.length > 0 && !isPlain(factor));
  return [...shown.filter(({ levels }) => levels.length > 1), ...shown.filter(({ levels }) => levels.length === 1)];
}

function isStandardAlone<K extends ChoiceName>({ design, factors, list }: StudyDesign, name: K): boolean {
  const levels =
    design === 'list'
      ? list.map((row) => choiceOf(row, name))
      : factorOf(factors as Parameters<typeof factorOf<K>>[0], name);
  const standard = choiceKey(name, choiceOf({}, name));
  return levels.every((level) => choiceKey(name, level) === standard);
}

const schedules: Record<StudyDesign['optimizer']['schedule']['kind'], string> = {
  constant: 'constant',
  cosine: 'cosine',
  step: 'in steps',
};

/** What every student has, as name and value. */
export function designConstants(design: StudyDesign, runNames: Readonly<Record<string, string>>): [string, string][] {
  const { student, optimizer, accumulation = 1 } = design;
  const start = student.initialisation;
  const startWords =
    start.kind === 'random'
      ? 'random weights'
      : start.kind === 'pretrained'
        ? start.weights
        : start.kind === 'planned'
          ? start.key
          : (runNames[start.runId] ?? 'a run of another study');
  return [
    ['Student', `${student.network}, from ${startWords}`],
    ['Dataset', design.dataset],
    ['Epochs', String(design.epochs)],
    ['Batch', accumulation > 1 ? `${design.batchSize} × ${accumulation}` : String(design.batchSize)],
    ['Learning rate', `${optimizer.learningRate}, ${schedules[optimizer.schedule.kind]}`],
    ['Seeds', design.seeds.length > 8 ? `${design.seeds.length} of them` : design.seeds.join(', ')],
  ];
}
