/** What stands before the pixels in a JPEG file, and whether this decoder can read those. */
import { forgetTables, hasTable, readHuffman } from './huffman';
import { get, set, word } from './table';

/** Smaller pictures have edges of their own in libjpeg. */
const MIN_WIDTH: i32 = 16;

let width: i32 = 0;
let height: i32 = 0;
let components: i32 = 0;
let interval: i32 = 0;
let scan: usize = 0;
let fileEnd: usize = 0;

export function imageWidth(): i32 {
  return width;
}
export function imageHeight(): i32 {
  return height;
}
export function imageChannels(): i32 {
  return components;
}
/** MCUs between restart markers; 0 without any. */
export function restartInterval(): i32 {
  return interval;
}
export function scanBegin(): usize {
  return scan;
}
export function scanLimit(): usize {
  return fileEnd;
}

// Of each component: id, sampling factors and tables.
const ids = memory.data(12);
export const across = memory.data(12);
export const downwards = memory.data(12);
export const quantOf = memory.data(12);
export const dcOf = memory.data(12);
export const acOf = memory.data(12);

/** Four tables of 64 words, in the order of the file. */
export const quantisers = memory.data(512, 16);
let knownQuantisers: i32 = 0;
/** Reads everything before the pixels. False: not for this decoder. */
export function readHeader(file: usize, length: i32): bool {
  fileEnd = file + <usize>length;
  width = 0;
  interval = 0;
  forgetTables();
  knownQuantisers = 0;
  let hasJfif = false;
  let adobe: i32 = -1;
  if (length < 4 || word(file) != 0xffd8) return false;
  let at = file + 2;
  while (at + 4 <= fileEnd) {
    if (load<u8>(at) != 0xff) return false;
    const marker: i32 = load<u8>(at, 1);
    if (marker == 0xff) {
      at++;
      continue;
    }
    const size = word(at + 2);
    const body = at + 4;
    const end = at + 2 + <usize>size;
    if (size < 2 || end > fileEnd) return false;
    if (marker == 0xc0 || marker == 0xc1) {
      if (width != 0 || !readFrame(body, end)) return false;
    } else if (marker == 0xc4) {
      if (!readHuffman(body, end)) return false;
    } else if (marker == 0xdb) {
      if (!readQuantisers(body, end)) return false;
    } else if (marker == 0xdd) {
      if (size != 4) return false;
      interval = word(body);
    } else if (marker == 0xda) {
      scan = end;
      return width != 0 && isYcc(hasJfif, adobe) && readScan(body, end);
    } else if (marker == 0xe0) {
      if (size >= 16 && load<u32>(body) == 0x4649464a) hasJfif = true;
    } else if (marker == 0xee) {
      if (size >= 14 && load<u32>(body) == 0x626f6441) adobe = load<u8>(body, 11);
    } else if (!((marker >= 0xe1 && marker <= 0xef) || marker == 0xfe)) return false;
    at = end;
  }
  return false;
}

/** libjpeg's guess at the colours. */
function isYcc(hasJfif: bool, adobe: i32): bool {
  if (components == 1 || hasJfif) return true;
  if (adobe >= 0) return adobe == 1;
  return get(ids, 0) == 1 && get(ids, 1) == 2 && get(ids, 2) == 3;
}

function readFrame(body: usize, end: usize): bool {
  if (body + 6 > end || load<u8>(body) != 8) return false;
  height = word(body + 1);
  width = word(body + 3);
  components = load<u8>(body, 5);
  if ((components != 1 && components != 3) || body + 6 + <usize>components * 3 != end) return false;
  if (width < MIN_WIDTH || height < 1) return false;
  for (let c = 0; c < components; c++) {
    const at = body + 6 + <usize>c * 3;
    set(ids, c, load<u8>(at));
    set(across, c, load<u8>(at, 1) >> 4);
    set(downwards, c, load<u8>(at, 1) & 15);
    set(quantOf, c, load<u8>(at, 2));
    if (load<u8>(at, 2) > 3) return false;
  }
  if (components == 1) {
    // Alone in its scan a component has no need of factors.
    set(across, 0, 1);
    set(downwards, 0, 1);
    return true;
  }
  const h = get(across, 0), v = get(downwards, 0);
  for (let c = 1; c < 3; c++) if (get(across, c) != 1 || get(downwards, c) != 1) return false;
  return (h == 1 && v == 1) || (h == 2 && v == 1) || (h == 2 && v == 2);
}

function readQuantisers(at: usize, end: usize): bool {
  while (at < end) {
    const head: i32 = load<u8>(at++);
    if (head > 3 || at + 64 > end) return false;
    knownQuantisers |= 1 << head;
    for (let k = 0; k < 64; k++) store<i16>(quantisers + (<usize>(head * 64 + k) << 1), load<u8>(at++));
  }
  return true;
}

function readScan(body: usize, end: usize): bool {
  if (<i32>load<u8>(body) != components || body + 4 + (<usize>components << 1) != end) return false;
  for (let c = 0; c < components; c++) {
    const at = body + 1 + (<usize>c << 1);
    if (<i32>load<u8>(at) != get(ids, c)) return false;
    const tables: i32 = load<u8>(at, 1);
    const dc = tables >> 4, ac = tables & 15;
    if (dc > 3 || ac > 3 || !hasTable(dc) || !hasTable(4 + ac)) return false;
    if (!((knownQuantisers >> get(quantOf, c)) & 1)) return false;
    set(dcOf, c, dc);
    set(acOf, c, ac);
  }
  return load<u8>(end - 3) == 0 && load<u8>(end - 2) == 63 && load<u8>(end - 1) == 0;
}

