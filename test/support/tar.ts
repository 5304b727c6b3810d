/** Tar archives for tests: ustar headers, and GNU's or pax's records for long names. */

export interface TarFile {
  name: string;
  content: Uint8Array | string;
  /** A kind of entry other than a file. */
  type?: string;
}

export function makeTar(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.flatMap(entry), Buffer.alloc(1024)]);
}

/** The entry's name in a pax record before it. */
export function paxName(name: string): TarFile {
  const record = ` path=${name}\n`;
  const length = record.length + String(record.length + 2).length;
  return { name: 'pax', content: `${length}${record}`, type: 'x' };
}

function entry({ name, content, type = '0' }: TarFile): Buffer[] {
  const bytes = Buffer.from(content as string);
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000644\0', 100);
  header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\0', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}
