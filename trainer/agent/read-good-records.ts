import { type RecordsRead, readRecords } from '../train/record-reader.ts';

export interface GoodRecords extends RecordsRead {
  /** The record at `nextOffset` is none, and never will be. */
  fault: Error | null;
}

/** As `readRecords`, with everything that comes before a record that cannot be read, and the fault as a value. */
export function readGoodRecords(path: string, offset: number, maxBytes?: number): GoodRecords {
  try {
    return { ...readRecords(path, offset, maxBytes), fault: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw error;
  }
  try {
    // The fault may lie behind good records of the same chunk, which chunks of a line separate.
    return { ...readRecords(path, offset, 1), fault: null };
  } catch (error) {
    return { records: [], nextOffset: offset, fault: error as Error };
  }
}
