/** A batch of unparsed records to records in order, or the path of its first fault. */
import type { RecordBatchReply } from '@mealtable/protocol/agent-messages';
import { AttemptRecord } from '@mealtable/protocol/records';
import type { z } from 'zod';
import { isMetricsRecord } from './is-metrics-record.ts';

export type ParsedBatch = { ok: true; records: AttemptRecord[] } | Extract<RecordBatchReply, { code: 'bad_record' }>;

/** @returns the records by seq, each seq once: the agent may send again, and reordered, what it has sent */
export function parseBatch(raw: readonly unknown[]): ParsedBatch {
  const records: AttemptRecord[] = [];
  let inOrder = true;
  for (const [i, item] of raw.entries()) {
    const parsed = isMetricsRecord(item) ? { success: true as const, data: item } : AttemptRecord.safeParse(item);
    if (!parsed.success) return describeFault(`records.${i}`, parsed.error);
    inOrder &&= records.length === 0 || records.at(-1)!.seq < parsed.data.seq;
    records.push(parsed.data);
  }
  return { ok: true, records: inOrder ? records : sortBySeq(records) };
}

function sortBySeq(records: readonly AttemptRecord[]): AttemptRecord[] {
  const bySeq = new Map<number, AttemptRecord>();
  for (const record of records) if (!bySeq.has(record.seq)) bySeq.set(record.seq, record);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

function describeFault(path: string, error: z.ZodError): Extract<ParsedBatch, { code: 'bad_record' }> {
  const issue = error.issues[0];
  const inner = (issue?.path ?? []).map(String);
  return { ok: false, code: 'bad_record', path: [path, ...inner].join('.'), message: issue?.message ?? error.message };
}
