import { type RecordsRead, readRecords } from '../train/record-reader.ts';

export interface GoodRecords extends RecordsRead {
  /** The record at `nextOffset` is none, and never will be. */
  fault: Error | null;
}

/** As `readRecords`, with the fault of a record that cannot be read as a value. */
export function readGoodRecords(path: string, offset: number, maxBytes?: number): GoodRecords {
  try {
    return { ...readRecords(path, offset, maxBytes), fault: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw error;
    return { records: [], nextOffset: offset, fault: error as Error };
  }
}
