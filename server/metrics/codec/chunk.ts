/** A stored batch as bytes: its tracks, each with its rows and then column by column, so that one metric can be cut out. */
import { ByteReader, ByteWriter } from './bytes.ts';
import { type ColumnKind, columnSize, decodeColumn, encodeColumn } from './column.ts';
import { decodeRows, encodeRows } from './rows.ts';
import { lengthOf, type Track } from './track.ts';

/** Of the layout: a hub that meets another one is too old for its database. */
const VERSION = 1;

export function encodeChunk(tracks: readonly Track<number>[]): Buffer {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  writer.varint(tracks.length);
  for (const track of tracks) {
    writer.varint(lengthOf(track));
    writer.varint(track.metrics.length);
    let last = 0;
    for (const id of track.metrics) {
      writer.signed(id - last);
      last = id;
    }
    const rows = encodeRows(track.rows);
    writer.varint(rows.length);
    writer.append(rows);
    for (const values of track.columns) {
      const { kind, bytes } = encodeColumn(values);
      writer.byte(kind);
      writer.append(bytes);
    }
  }
  return writer.finish();
}

/** @param wanted only these series, and only tracks that have one of them; all when left out */
export function decodeChunk(bytes: Uint8Array, wanted?: ReadonlySet<number>): Track<number>[] {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version !== VERSION) throw new Error(`A chunk has the layout ${version}, and this hub reads ${VERSION}.`);
  const tracks: Track<number>[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const count = reader.varint();
    const all: number[] = [];
    let id = 0;
    for (let metrics = reader.varint(); metrics > 0; metrics--) {
      id += reader.signed();
      all.push(id);
    }
    const rowBytes = reader.take(reader.varint());
    const metrics: number[] = [];
    const columns: Float64Array[] = [];
    for (const series of all) {
      const kind = reader.byte() as ColumnKind;
      const packed = reader.take(columnSize(kind, count));
      if (wanted && !wanted.has(series)) continue;
      metrics.push(series);
      columns.push(decodeColumn(kind, packed, count));
    }
    if (!wanted || metrics.length > 0) tracks.push({ metrics, columns, rows: decodeRows(rowBytes, count) });
  }
  return tracks;
}
