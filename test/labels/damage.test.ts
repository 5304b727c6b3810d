/** Altered and shortened files: wrong labels never, missing ones only where the damage is. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Rng } from '../../trainer/engine/rng.ts';
import { ALL, expectRightRows, fill, KEY, view, withCache } from './filled-cache.ts';
import { IMAGE_COUNT, labelsOf, range, withFolder } from './support.ts';

test('whichever byte is altered, lookups give right rows or none, and what was lost can be written anew', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const good = readFileSync(segment);
    const rng = Rng.seeded(1);
    const firstBlock = good.indexOf('LBLBLOCK');
    // Random places, and every byte of the first block's head.
    const places = [...range(40, firstBlock), ...range(160).map(() => rng.integer(good.length))];
    let lost = 0;
    for (const at of places) {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 1 << rng.integer(8);
      writeFileSync(segment, bytes);
      withCache(
        folder,
        (cache) => {
          const missing = expectRightRows(cache);
          lost += missing.length;
          // A record at most, the records of a block if its head or pairs are concerned, all with the file's head.
          expect(missing.length).toBeLessThanOrEqual(at < firstBlock ? IMAGE_COUNT : 10);
          const { damagedRecords, segments } = cache.verify();
          const skipped = segments.some(({ unreadableBytes, isForeign }) => unreadableBytes > 0 || isForeign);
          if (missing.length > 0) expect(damagedRecords.length > 0 || skipped).toBe(true);
        },
        false,
      );
    }
    expect(lost).toBeGreaterThan(200);
  });
});

test('a view whose record was altered is labelled anew once, and then found by everybody', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const bytes = readFileSync(segment);
    bytes[bytes.length - 20]! ^= 4;
    writeFileSync(segment, bytes);
    withCache(folder, (cache) => {
      const { missing } = cache.lookup(ALL, view(0));
      expect(missing).toHaveLength(1);
      expect(cache.damagedRecords).toBe(1);
      expect(cache.coverage(1).labelled).toBe(IMAGE_COUNT - 1);
      cache.append(missing, [0], labelsOf(KEY, missing, [0]));
      expect(expectRightRows(cache)).toEqual([]);
    });
    withCache(folder, (cache) => {
      expect(expectRightRows(cache)).toEqual([]);
      expect(cache.damagedRecords).toBe(0);
      expect(cache.verify().damagedRecords).toHaveLength(1);
    });
  });
});

test('after a loss, blocks of one writer replace altered ones of a newer segment too', async () => {
  await withFolder((folder) =>
    withCache(folder, (first) => {
      first.append([0], [0], labelsOf(KEY, [0], [0]));
      const segment = fill(folder);
      first.refresh();
      const bytes = readFileSync(segment);
      bytes[bytes.length - 20]! ^= 4;
      writeFileSync(segment, bytes);
      const { missing } = first.lookup(ALL, view(0));
      first.append(missing, [0], labelsOf(KEY, missing, [0]));
      withCache(folder, (cache) => {
        expect(expectRightRows(cache)).toEqual([]);
        expect(cache.damagedRecords).toBe(0);
      });
    }),
  );
});

test('cut off anywhere, a file costs the block that was cut and those after it', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const good = readFileSync(segment);
    const starts: number[] = [];
    for (let at = good.indexOf('LBLBLOCK'); at >= 0; at = good.indexOf('LBLBLOCK', at + 1)) starts.push(at);
    expect(starts).toHaveLength(6);
    const rng = Rng.seeded(2);
    const lengths = [
      0,
      1,
      15,
      16,
      ...starts,
      ...starts.map((at) => at + 1),
      ...range(40).map(() => rng.integer(good.length)),
    ];
    for (const length of lengths) {
      writeFileSync(segment, good.subarray(0, length));
      const whole = starts.filter((_, i) => (starts[i + 1] ?? good.length) <= length).length;
      withCache(
        folder,
        (cache) => expect(expectRightRows(cache)).toEqual(range(IMAGE_COUNT - 10 * whole, 10 * whole)),
        false,
      );
    }
  });
});

test('a file cut while it is open loses only what is gone, and one that grows is read on where it ended', async () => {
  await withFolder((folder) => {
    const segment = fill(folder);
    const good = readFileSync(segment);
    withCache(
      folder,
      (cache) => {
        truncateSync(segment, good.length - 300);
        const missing = expectRightRows(cache);
        expect(missing.length).toBeGreaterThan(0);
        expect(missing.length).toBeLessThanOrEqual(10);
      },
      false,
    );
    truncateSync(segment, good.length - 300);
    withCache(
      folder,
      (cache) => {
        expect(cache.coverage(1).labelled).toBe(IMAGE_COUNT - 10);
        writeFileSync(segment, good);
        expect(expectRightRows(cache)).toEqual([]);
      },
      false,
    );
  });
});
