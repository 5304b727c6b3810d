/** Huffman tables of a JPEG file, and the bits they are read from. */
import { get, set, word } from './table';

const LOOK_BITS: i32 = 10;
const LOOK_SIZE: usize = 1 << LOOK_BITS;

// Huffman tables: 0 to 3 for DC, 4 to 7 for AC.
const looks = memory.data(8 * 1024 * 4, 16);
/** AC codes together with their values, where both fit: value << 16 | run << 8 | bits. */
const fastValues = memory.data(4 * 1024 * 4, 16);
/** As many whole AC codes with their values as fit, to be left out: whether the block ends << 16 | places << 8 | bits. */
const leaps = memory.data(4 * 1024 * 4, 16);
const maxCodes = memory.data(8 * 18 * 4, 16);
const valueOffsets = memory.data(8 * 18 * 4, 16);
const symbols = memory.data(8 * 256, 16);
let knownTables: i32 = 0;

/** Place of a coefficient in the block; 16 more, so that a wrong run stays inside. */
const naturalOrder = memory.data<u8>([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42,
  49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63,
  63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
]);
export function forgetTables(): void {
  knownTables = 0;
}

/** Whether the file has defined a table: 0 to 3 for DC, 4 to 7 for AC. */
export function hasTable(table: i32): bool {
  return ((knownTables >> table) & 1) != 0;
}

/** A DHT segment. False: it is wrong. */
export function readHuffman(at: usize, end: usize): bool {
  while (at < end) {
    if (at + 17 > end) return false;
    const head: i32 = load<u8>(at);
    if ((head & 15) > 3 || head >> 4 > 1) return false;
    const table = (head >> 4) * 4 + (head & 15);
    let total = 0;
    for (let i: usize = 1; i <= 16; i++) total += load<u8>(at + i);
    if (total > 256 || at + 17 + <usize>total > end) return false;
    memory.copy(symbols + <usize>table * 256, at + 17, <usize>total);
    if (!makeTable(table, at)) return false;
    knownTables |= 1 << table;
    at += 17 + <usize>total;
  }
  return true;
}

/** From the counts of codes of each length, which stand at counts + 1 to counts + 16. */
function makeTable(table: i32, counts: usize): bool {
  const look = looks + <usize>table * LOOK_SIZE * 4;
  const values = symbols + <usize>table * 256;
  memory.fill(look, 0, LOOK_SIZE * 4);
  let code = 0;
  let index = 0;
  for (let bits = 1; bits <= 16; bits++) {
    const count: i32 = load<u8>(counts + <usize>bits);
    set(valueOffsets, table * 18 + bits, index - code);
    for (let i = 0; i < count; i++, code++, index++) {
      if (code >= 1 << bits) return false;
      if (bits > LOOK_BITS) continue;
      const entry = (<i32>load<u8>(values + <usize>index) << 8) | bits;
      const first = code << (LOOK_BITS - bits);
      for (let k = 0; k < 1 << (LOOK_BITS - bits); k++) set(look, first + k, entry);
    }
    set(maxCodes, table * 18 + bits, count > 0 ? code : 0);
    code <<= 1;
  }
  if (table >= 4) {
    makeFastValues(table - 4, look);
    makeLeaps(table - 4, look);
  } else for (let i = 0; i < index; i++) if (load<u8>(values + <usize>i) > 11) return false;
  return true;
}

function makeFastValues(table: i32, look: usize): void {
  const fast = fastValues + <usize>table * LOOK_SIZE * 4;
  for (let i = 0; i < <i32>LOOK_SIZE; i++) {
    const entry = get(look, i);
    const bits = entry & 255;
    const run = entry >> 12;
    const size = (entry >> 8) & 15;
    let packed = 0;
    if (bits > 0 && size > 0 && bits + size <= LOOK_BITS) {
      const raw = (i >> (LOOK_BITS - bits - size)) & ((1 << size) - 1);
      packed = (extend(raw, size) << 16) | (run << 8) | (bits + size);
    }
    set(fast, i, packed);
  }
}

function makeLeaps(table: i32, look: usize): void {
  const leap = leaps + <usize>table * LOOK_SIZE * 4;
  for (let i = 0; i < <i32>LOOK_SIZE; i++) {
    let taken = 0;
    let places = 0;
    let ends = 0;
    while (ends == 0) {
      const entry = get(look, (i << taken) & (<i32>LOOK_SIZE - 1));
      const size = (entry >> 8) & 15;
      const length = (entry & 255) + size;
      if ((entry & 255) == 0 || taken + length > LOOK_BITS) break;
      taken += length;
      if (size == 0 && entry >> 12 != 15) ends = 1;
      else places += (entry >> 12) + 1;
    }
    set(leap, i, (ends << 16) | (places << 8) | taken);
  }
}

@inline
function extend(raw: i32, size: i32): i32 {
  return raw < 1 << (size - 1) ? raw - (1 << size) + 1 : raw;
}

// Bits that are read but not used lie at the top of `bits`; the last `padding` of them are zeros from beyond a marker.
let bits: u64 = 0;
let available: i32 = 0;
let padding: i32 = 0;
let input: usize = 0;
let fileEnd: usize = 0;

/** Brings `available` above 48. */
function refill(): void {
  for (; available <= 48; available += 8) {
    if (input >= fileEnd) {
      padding += 8;
      continue;
    }
    const byte = load<u8>(input);
    if (byte != 0xff) input++;
    else if (input + 1 < fileEnd && load<u8>(input, 1) == 0) input += 2;
    else {
      padding += 8;
      continue;
    }
    bits |= <u64>byte << (56 - available);
  }
}

/** A code that is longer than the look-ahead, from 16 bits: symbol << 8 | its length; -1 where there is none. */
function longCode(table: i32, ahead: i32): i32 {
  for (let length = LOOK_BITS + 1; length <= 16; length++) {
    const code = ahead >> (16 - length);
    if (code < get(maxCodes, table * 18 + length))
      return (<i32>load<u8>(symbols + <usize>(table * 256 + code + get(valueOffsets, table * 18 + length))) << 8) | length;
  }
  return -1;
}

/** Whether none of four bytes is FF, after which something else than codes may follow. */
@inline
function isPlain(four: u32): bool {
  const inverse = ~four;
  return ((inverse - 0x01010101) & ~inverse & 0x80808080) == 0;
}

/**
 * One block's codes. Wanted blocks' dequantised coefficients end up in `coefficients`, which hold zeros before.
 * @param lastDc address of the component's DC value before this block, which becomes this block's
 * @returns the place of the last coefficient that is not 0; -1 for a wrong code
 */
@inline
export function readBlock(
  dcTable: i32,
  acTable: i32,
  lastDc: usize,
  quantiser: usize,
  coefficients: usize,
  wanted: bool,
): i32 {
  // Locals are registers, which globals are not.
  let held = bits;
  let count = available;
  let at = input;
  const fastEnd = fileEnd - 4;
  let entry = 0;
  let k = 0;
  let last = 0;
  let value = 0;
  let dc = load<i32>(lastDc);
  const fast = fastValues + <usize>acTable * LOOK_SIZE * 4;
  const look = looks + <usize>(acTable + 4) * LOOK_SIZE * 4;
  while (k < 64) {
    if (count < 32) {
      const four = load<u32>(at);
      if (at <= fastEnd && isPlain(four)) {
        held |= <u64>bswap(four) << (32 - count);
        count += 32;
        at += 4;
      } else {
        bits = held;
        available = count;
        input = at;
        refill();
        held = bits;
        count = available;
        at = input;
      }
    }
    const ahead = <i32>(held >> (64 - LOOK_BITS));
    if (k > 0) {
      if (!wanted) {
        const leap = get(leaps + <usize>acTable * LOOK_SIZE * 4, ahead);
        const beyond = k + ((leap >> 8) & 255);
        // A block that is full has no code for its end: what follows belongs to the next.
        if (beyond < 64 && (leap & 255) != 0) {
          held <<= leap;
          count -= leap & 255;
          k = beyond;
          if (leap >> 16) break;
          continue;
        }
      }
      const packed = get(fast, ahead);
      if (packed != 0) {
        // Shifts look at the lowest bits of a number only, where the length stands.
        held <<= packed;
        count -= packed & 15;
        k += (packed >> 8) & 15;
        if (wanted) {
          const place = <usize>load<u8>(naturalOrder + <usize>k);
          store<i16>(
            coefficients + (place << 1),
            <i16>((packed >> 16) * <i32>load<i16>(quantiser + (<usize>k << 1))),
          );
        }
        last = k++;
        continue;
      }
      entry = get(look, ahead);
      if (entry == 0) {
        entry = longCode(acTable + 4, <i32>(held >> 48));
        if (entry < 0) return -1;
      }
      held <<= entry;
      count -= entry & 255;
      const size = (entry >> 8) & 15;
      const run = entry >> 12;
      if (size == 0) {
        if (run != 15) break;
        k += 16;
        continue;
      }
      k += run;
      count -= size;
      value = extend(<i32>(held >> (64 - size)), size);
      held <<= size;
    } else {
      entry = get(looks + <usize>dcTable * LOOK_SIZE * 4, ahead);
      if (entry == 0) {
        entry = longCode(dcTable, <i32>(held >> 48));
        if (entry < 0) return -1;
      }
      held <<= entry;
      count -= entry & 255;
      const size = entry >> 8;
      if (size > 0) {
        count -= size;
        dc += extend(<i32>(held >> (64 - size)), size);
        held <<= size;
        store<i32>(lastDc, dc);
      }
      value = dc;
    }
    if (wanted) {
      const place = <usize>load<u8>(naturalOrder + <usize>k);
      store<i16>(coefficients + (place << 1), <i16>(value * <i32>load<i16>(quantiser + (<usize>k << 1))));
    }
    last = k++;
  }
  bits = held;
  available = count;
  input = at;
  return k > 64 ? -1 : last;
}

/** From here on codes are read, up to a marker or the file's end. */
export function startCodes(at: usize, end: usize): void {
  input = at;
  fileEnd = end;
  bits = 0;
  available = 0;
  padding = 0;
}

/**
 * Ends a run of codes. False when they did not end where the bytes do, with less than a byte left and none of it made up, or
 * when another marker than `marker` follows.
 */
export function endCodes(marker: i32): bool {
  return available >= padding && available - padding < 8 && input + 2 <= fileEnd && word(input) == marker;
}

/** Where the marker that ended the codes stands. */
export function codesEnd(): usize {
  return input;
}
