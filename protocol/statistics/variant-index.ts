/** Student variants by their levels, so that those which differ in one factor alone are found at once. */
import { FACTOR_NAMES, type FactorName, levelKey, levelWords } from '../factor-levels.ts';
import type { Levels } from '../study-design.ts';
import type { SeedResults } from './paired-difference.ts';

export interface StudentVariant {
  label: string;
  levels: Levels;
  results: SeedResults;
}
export interface IndexedVariant extends StudentVariant {
  /** One of each factor. */
  keys: Readonly<Record<FactorName, string>>;
}
export interface LevelName {
  key: string;
  words: string;
}

export class VariantIndex {
  readonly variants: readonly IndexedVariant[];
  readonly #byKeys: ReadonlyMap<string, IndexedVariant>;

  /** @param variants in the order of the table */
  constructor(variants: readonly StudentVariant[]) {
    this.variants = variants.map((variant) => ({
      ...variant,
      keys: Object.fromEntries(
        FACTOR_NAMES.map((name) => [name, levelKey(variant.levels, name)]),
      ) as IndexedVariant['keys'],
    }));
    this.#byKeys = new Map(this.variants.map((variant) => [joined(variant.keys), variant]));
  }

  /** The variant that has these levels instead and all others in common. */
  withOther(variant: IndexedVariant, levels: Partial<Record<FactorName, string>>): IndexedVariant | undefined {
    return this.#byKeys.get(joined({ ...variant.keys, ...levels }));
  }

  /** @returns a factor's levels in the order of the table, `first` before them */
  levelsOf(name: FactorName, first: string | undefined): LevelName[] {
    const found = new Map(this.variants.map((variant) => [variant.keys[name], levelWords(variant, name)]));
    const levels = [...found].map(([key, words]) => ({ key, words }));
    return [...levels.filter(({ key }) => key === first), ...levels.filter(({ key }) => key !== first)];
  }
}

/** No key of a level holds a line break. */
const joined = (keys: Readonly<Record<FactorName, string>>): string =>
  FACTOR_NAMES.map((name) => keys[name]).join('\n');
