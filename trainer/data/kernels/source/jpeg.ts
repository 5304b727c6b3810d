/**
 * Baseline JPEG (ITU-T T.81) with 8 bits, Huffman codes, and one component or three of which the last two have full, half or
 * quarter resolution: what cameras and ImageNet use. Results are libjpeg's to the last bit. Everything else, and every file in
 * which anything is amiss, is refused: a complete decoder then has the word.
 * All codes of a file are read whatever part of it is wanted, so that a file is refused or not whatever the part.
 */
import { toRgb, upsampleAcross, upsampleBoth } from './colour';
import {
  acOf,
  across,
  dcOf,
  downwards,
  imageChannels,
  imageHeight,
  imageWidth,
  quantisers,
  quantOf,
  restartInterval,
  scanBegin,
  scanLimit,
} from './header';
import { codesEnd, endCodes, readBlock, startCodes } from './huffman';
import { inverseDct, inverseDctFlat } from './idct';
import { take } from './memory';
import { get, set } from './table';

// Of each component: running DC value, and the wanted part in blocks.
const lastDc = memory.data(12);
const firstColumn = memory.data(12);
const endColumn = memory.data(12);
const firstRow = memory.data(12);
const endRow = memory.data(12);
const planes = memory.data(12);
const strides = memory.data(12);
const coefficients = memory.data(128, 16);

/**
 * Decodes the pixels x to x + w - 1, y to y + h - 1 of the file whose header was read.
 * @returns their address: h lines of w pixels with `imageChannels` bytes; 0: not for this decoder
 */
export function decodeRegion(x: i32, y: i32, w: i32, h: i32): usize {
  const width = imageWidth(), height = imageHeight();
  const maxH = get(across, 0), maxV = get(downwards, 0);
  for (let c = 0; c < imageChannels(); c++) planPlane(c, x, y, w, h);
  memory.fill(coefficients, 0, 128);
  const mcusAcross = (width + maxH * 8 - 1) / (maxH * 8);
  const mcusDown = (height + maxV * 8 - 1) / (maxV * 8);
  startInterval(scanBegin());
  const interval = restartInterval();
  let left = interval;
  let expected = 0;
  for (let my = 0; my < mcusDown; my++) {
    for (let mx = 0; mx < mcusAcross; mx++) {
      if (interval != 0) {
        if (left == 0) {
          if (!endCodes(0xffd0 + expected)) return 0;
          expected = (expected + 1) & 7;
          startInterval(codesEnd() + 2);
          left = interval;
        }
        left--;
      }
      for (let c = 0; c < imageChannels(); c++) {
        const ch = get(across, c), cv = get(downwards, c);
        for (let v = 0; v < cv; v++) {
          for (let u = 0; u < ch; u++) if (!decodeBlock(c, mx * ch + u, my * cv + v)) return 0;
        }
      }
    }
  }
  if (!endCodes(0xffd9)) return 0;
  return imageChannels() == 1 ? copyGrey(x, y, w, h) : composeColour(x, y, w, h);
}

function startInterval(at: usize): void {
  startCodes(at, scanLimit());
  for (let c = 0; c < imageChannels(); c++) set(lastDc, c, 0);
}

@inline
function readCodes(c: i32, wanted: bool): i32 {
  const quantiser = quantisers + <usize>(get(quantOf, c) * 128);
  return readBlock(get(dcOf, c), get(acOf, c), lastDc + (<usize>c << 2), quantiser, coefficients, wanted);
}

@inline
function decodeBlock(c: i32, column: i32, row: i32): bool {
  const wanted =
    row >= get(firstRow, c) && row < get(endRow, c) && column >= get(firstColumn, c) && column < get(endColumn, c);
  if (!wanted) return readCodes(c, false) >= 0;
  const last = readCodes(c, true);
  if (last < 0) return false;
  const stride = <usize>get(strides, c);
  const target =
    <usize>get(planes, c) +
    <usize>(row - get(firstRow, c)) * 8 * stride +
    <usize>(column - get(firstColumn, c)) * 8;
  if (last == 0) {
    inverseDctFlat(load<i16>(coefficients), target, stride);
    store<i16>(coefficients, 0);
  } else {
    inverseDct(coefficients, target, stride);
    for (let i: usize = 0; i < 128; i += 16) v128.store(coefficients + i, i64x2.splat(0));
  }
  return true;
}

/** Samples across or down of a component. */
@inline
function extent(size: i32, factor: i32, max: i32): i32 {
  return (size * factor + max - 1) / max;
}

/** Finds the blocks of a component that the wanted part needs, and memory for them. */
function planPlane(c: i32, x: i32, y: i32, w: i32, h: i32): void {
  const stepX = get(across, 0) / get(across, c), stepY = get(downwards, 0) / get(downwards, c);
  // Upsampling looks at one sample more on each side.
  const left = max(0, x / stepX - (stepX - 1));
  const top = max(0, y / stepY - (stepY - 1));
  const right = min(extent(imageWidth(), 1, stepX) - 1, (x + w - 1) / stepX + (stepX - 1));
  const bottom = min(extent(imageHeight(), 1, stepY) - 1, (y + h - 1) / stepY + (stepY - 1));
  set(firstColumn, c, left >> 3);
  set(endColumn, c, (right >> 3) + 1);
  set(firstRow, c, top >> 3);
  set(endRow, c, (bottom >> 3) + 1);
  const stride = ((right >> 3) + 1 - (left >> 3)) * 8;
  set(strides, c, stride);
  set(planes, c, <i32>take(<usize>stride * <usize>((bottom >> 3) + 1 - (top >> 3)) * 8));
}

@inline
function sample(c: i32, x: i32, y: i32): usize {
  return (
    <usize>get(planes, c) +
    <usize>(y - get(firstRow, c) * 8) * <usize>get(strides, c) +
    <usize>(x - get(firstColumn, c) * 8)
  );
}

function copyGrey(x: i32, y: i32, w: i32, h: i32): usize {
  const target = take(<usize>w * <usize>h);
  for (let i = 0; i < h; i++) memory.copy(target + <usize>(i * w), sample(0, x, y + i), <usize>w);
  return target;
}

function composeColour(x: i32, y: i32, w: i32, h: i32): usize {
  const target = take(<usize>w * <usize>h * 3);
  const halfX = get(across, 0) == 2, halfY = get(downwards, 0) == 2;
  const samplesAcross = extent(imageWidth(), 1, get(across, 0)), samplesDown = extent(imageHeight(), 1, get(downwards, 0));
  const from = halfX ? max(0, (x >> 1) - 1) : x;
  const count = halfX ? min(samplesAcross - 1, ((x + w - 1) >> 1) + 1) - from + 1 : w;
  const sums = take(<usize>count * 2 + 64);
  const lines = take(<usize>count * 4 + 64);
  const second = lines + <usize>count * 2 + 32;
  for (let i = 0; i < h; i++) {
    const row = y + i;
    let blueness: usize, redness: usize;
    if (!halfX) {
      blueness = sample(1, x, row);
      redness = sample(2, x, row);
    } else {
      const near = halfY ? row >> 1 : row;
      if (halfY) {
        const far = max(0, min(samplesDown - 1, near + (row & 1 ? 1 : -1)));
        upsampleBoth(sample(1, from, near), sample(1, from, far), count, sums, lines);
        upsampleBoth(sample(2, from, near), sample(2, from, far), count, sums, second);
      } else {
        upsampleAcross(sample(1, from, near), count, sums, lines);
        upsampleAcross(sample(2, from, near), count, sums, second);
      }
      blueness = lines + <usize>(x - from * 2);
      redness = second + <usize>(x - from * 2);
    }
    toRgb(sample(0, x, row), blueness, redness, w, target + <usize>i * <usize>w * 3);
  }
  return target;
}
