import { expect, test } from 'vitest';
import { philox4x32 } from '../../trainer/engine/philox.ts';
import { Rng } from '../../trainer/engine/rng.ts';

test('Philox4x32-10 gives the known answers of its authors', () => {
  // kat_vectors of the Random123 distribution: counter, key, result.
  const cases: [number[], number[], number[]][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key, expected] of cases) {
    const out = new Uint32Array(4);
    philox4x32(out, key[0]!, key[1]!, counter[0]!, counter[1]!, counter[2]!, counter[3]!);
    expect([...out]).toEqual(expected);
  }
});

test('a seed always gives the same numbers, on every machine and in every version', () => {
  const rng = Rng.seeded(7);
  expect([rng.word(), rng.uniform(), rng.integer(1000), rng.normal()]).toMatchInlineSnapshot(`
    [
      2166443403,
      0.11373179387632104,
      460,
      0.12852843044138879,
    ]
  `);
  expect([...Rng.seeded(7).permutation(8)]).toMatchInlineSnapshot(`
    [
      2,
      1,
      6,
      5,
      0,
      7,
      4,
      3,
    ]
  `);
});

test('streams with different labels differ, and do not depend on what was drawn before', () => {
  const root = Rng.seeded(1);
  const first = root.stream('crop', 4, 17).word();
  root.uniform();
  expect(root.stream('crop', 4, 17).word()).toBe(first);
  expect(Rng.seeded(1, 'crop', 4, 17).word()).toBe(first);
  expect(root.stream('crop').stream(4, 17).word()).toBe(first);
  const words = [
    ...[
      root.stream('crop', 4, 18),
      root.stream('crop', 5, 17),
      root.stream('flip', 4, 17),
      root.stream('cro', 'p', 4, 17),
    ],
    ...[root.stream(-1), root.stream(0), root.stream(2 ** 32), root.stream('0'), Rng.seeded(2).stream('crop', 4, 17)],
  ].map((rng) => rng.word());
  expect(new Set([first, ...words]).size).toBe(words.length + 1);
});

test('a saved state goes on where the generator stood', () => {
  const rng = Rng.seeded(3, 'shuffle');
  for (let i = 0; i < 7; i++) rng.word();
  const state = JSON.parse(JSON.stringify(rng.state()));
  const expected = [rng.word(), rng.normal(), rng.integer(10)];
  const restored = Rng.fromState(state);
  expect([restored.word(), restored.normal(), restored.integer(10)]).toEqual(expected);
});

test('uniform and normal numbers have their mean and variance', () => {
  const rng = Rng.seeded(11);
  const count = 40_000;
  const moments = (draw: () => number): [number, number] => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      const x = draw();
      sum += x;
      squares += x * x;
    }
    return [sum / count, squares / count - (sum / count) ** 2];
  };
  const [uniformMean, uniformVariance] = moments(() => rng.uniform());
  expect(Math.abs(uniformMean - 1 / 2)).toBeLessThan(0.006); // four standard errors
  expect(Math.abs(uniformVariance - 1 / 12)).toBeLessThan(0.002);
  const filled = new Float32Array(count + 1);
  let next = 0;
  rng.fillNormal(filled, 1);
  for (const draw of [() => rng.normal(), () => filled[next++]!]) {
    const [mean, variance] = moments(draw);
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
  }
  rng.fillUniform(filled, -3, 1);
  next = 0;
  const [mean, variance] = moments(() => filled[next++]!);
  expect(Math.abs(mean + 1)).toBeLessThan(0.024);
  expect(Math.abs(variance - 16 / 12)).toBeLessThan(0.032);
});

test('a permutation holds every number once, and every order of three is equally likely', () => {
  expect([...Rng.seeded(5).permutation(1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect([...Rng.seeded(5).permutation(0)]).toEqual([]);
  const counts = new Map<string, number>();
  const rng = Rng.seeded(6);
  for (let i = 0; i < 6000; i++) {
    const order = rng.permutation(3).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test('seeds, labels and bounds that are not whole numbers are refused', () => {
  expect(() => Rng.seeded(1.5)).toThrow('must be a whole number, not 1.5');
  expect(() => Rng.seeded(1).stream(Number.NaN)).toThrow('must be a whole number');
  expect(() => Rng.seeded(1).integer(0)).toThrow('from 1 to 2^32');
  expect(Rng.seeded(1).integer(1)).toBe(0);
});
