/**
 * ChartReply as bytes: a 100 times 500 buckets are a million numbers, which take several times as long to write and to read as JSON.
 * A header in JSON says what series follow; each then has its columns as little-endian arrays, padded to eight bytes.
 */
import type { ChartReply, ChartSeries } from './chart-data.ts';
import { fromWireNumber, toWireNumber, type WireNumber } from './wire-number.ts';

const INTEGERS = ['step', 'firstStep', 'count'] as const;
const NUMBERS = ['epoch', 'at', 'value', 'min', 'max', 'first', 'last'] as const;
type Column = (typeof INTEGERS | typeof NUMBERS)[number];
type Encoding = 'i4' | 'f4' | 'f8';
const ARRAYS = { i4: Int32Array, f4: Float32Array, f8: Float64Array } as const;
const WIRE_NUMBERS: ReadonlySet<Column> = new Set(['value', 'min', 'max', 'first', 'last']);

interface Header {
  through: ChartReply['through'];
  series: (Pick<ChartSeries, 'runId' | 'metric' | 'isRaw' | 'points'> & { columns: [Column, Encoding, number][] })[];
}

const pad = (bytes: number) => Math.ceil(bytes / 8) * 8;

/** Half as many bytes where that loses nothing. */
const narrow = (values: Float64Array): Float32Array | Float64Array => {
  const narrowed = Float32Array.from(values);
  return values.every((value, i) => Object.is(value, narrowed[i])) ? narrowed : values;
};

export function encodeChart(reply: ChartReply): Uint8Array<ArrayBuffer> {
  const parts: (Int32Array | Float32Array | Float64Array)[] = [];
  const header: Header = { through: reply.through, series: [] };
  for (const series of reply.series) {
    const columns: Header['series'][number]['columns'] = [];
    const add = (name: Column, encoding: Encoding, values: (typeof parts)[number]) => {
      parts.push(values);
      columns.push([name, encoding, values.length]);
    };
    for (const name of INTEGERS) add(name, 'i4', Int32Array.from(series[name]));
    for (const name of NUMBERS) {
      const values = narrow(Float64Array.from(series[name] as WireNumber[], fromWireNumber));
      add(name, values instanceof Float32Array ? 'f4' : 'f8', values);
    }
    const { runId, metric, isRaw, points } = series;
    header.series.push({ runId, metric, isRaw, points, columns });
  }
  const head = new TextEncoder().encode(JSON.stringify(header));
  const size = parts.reduce((sum, part) => sum + pad(part.byteLength), pad(4 + head.length));
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  let offset = pad(4 + head.length);
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), offset);
    offset += pad(part.byteLength);
  }
  return bytes;
}

/** @throws when the bytes are not those of `encodeChart` */
export function decodeChart(buffer: ArrayBuffer): ChartReply {
  const headLength = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headLength))) as Header;
  let offset = pad(4 + headLength);
  const series = header.series.map(({ columns, ...rest }) => {
    const read = columns.map(([name, encoding, length]) => {
      const values = new ARRAYS[encoding](buffer, offset, length);
      offset += pad(values.byteLength);
      return [name, WIRE_NUMBERS.has(name) ? Array.from(values, toWireNumber) : Array.from(values)];
    });
    return { ...rest, ...Object.fromEntries(read) } as ChartSeries;
  });
  return { series, through: header.through };
}
