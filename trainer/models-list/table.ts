/** What `npm run models` prints: one line for each set of published weights, and one for each network without any. */
import { networkCost } from '@mealtable/protocol/network-cost';
import { NETWORKS } from '@mealtable/protocol/networks';
import { explainNameTrap } from '@mealtable/protocol/published-weights';
import { FAMILY_NAMES, gigaMacs, REGISTRY, type RegistryLine, shortCount } from '@mealtable/protocol/registry';

export interface ModelRow {
  network: string;
  family: RegistryLine['family'];
  /** `arch.tag`, or null for a network without published weights. */
  weights: string | null;
  /** With 1000 classes. */
  parameters: number;
  /** Multiply-accumulates per image in billions, at `gmacsAt` pixels. */
  gmacs: number;
  gmacsAt: number;
  /** Side of the usual input in pixels. */
  inputSize: number;
  minInputSize: number;
  cropFraction: number;
  interpolation: string;
  mean: readonly number[];
  std: readonly number[];
  /** Published, in percent. */
  top1: number | null;
  top5: number | null;
  /** `owner/name` on a hub; null for files that somebody must bring, and without weights. */
  repo: string | null;
}

/**
 * @param words a line is listed when it holds all of them, whatever the case
 * @param size pixels to count GMACs at; null for each line's usual size
 */
export function listModels(words: readonly string[], size: number | null): ModelRow[] {
  return REGISTRY.map(({ network, family, weights }): ModelRow => {
    const spec = NETWORKS[network];
    const { inputSize, cropFraction, interpolation, mean, std } =
      weights?.published.preprocessing ?? spec.preprocessing;
    const gmacsAt = size ?? inputSize;
    const { parameters, macs } = networkCost(network, gmacsAt);
    return {
      network,
      family,
      weights: weights?.name ?? null,
      parameters,
      gmacs: macs / 1e9,
      gmacsAt,
      inputSize,
      minInputSize: spec.minInputSize,
      cropFraction,
      interpolation,
      mean,
      std,
      top1: weights?.published.top1 ?? null,
      top5: weights?.published.top5 ?? null,
      repo: weights?.repo ?? null,
    };
  }).filter((row) => {
    const text = `${row.weights ?? row.network} ${FAMILY_NAMES[row.family]}`.toLowerCase();
    return words.every((word) => text.includes(word.toLowerCase()));
  });
}

const HEAD = ['weights', 'parameters', 'GMACs', 'size', 'crop', 'resized', 'mean / std', 'top-1', 'top-5'];
/** Columns of figures. */
const RIGHT = new Set([1, 2, 3, 4, 7, 8]);

function cellsOf(row: ModelRow): string[] {
  const isHalf = row.mean.every((value) => value === 0.5) && row.std.every((value) => value === 0.5);
  return [
    row.weights ?? row.network,
    shortCount(row.parameters),
    gigaMacs(row.gmacs * 1e9),
    String(row.inputSize),
    row.cropFraction.toFixed(3),
    row.interpolation,
    isHalf ? '0.5 / 0.5' : 'ImageNet',
    row.top1?.toFixed(2) ?? '-',
    row.top5?.toFixed(2) ?? '-',
  ];
}

/** Aligned lines under the families' names, with what is easily mistaken at the end. */
export function formatModels(rows: readonly ModelRow[], size: number | null): string {
  const head = HEAD.map((name) => (name === 'GMACs' && size !== null ? `GMACs at ${size}` : name));
  const table = [head, ...rows.map(cellsOf)];
  const widths = head.map((_, i) => Math.max(...table.map((cells) => cells[i]!.length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const lines = [line(head)];
  for (const [i, row] of rows.entries()) {
    if (row.family !== rows[i - 1]?.family) lines.push('', FAMILY_NAMES[row.family]);
    lines.push(line(table[i + 1]!));
  }
  const traps = rows.flatMap(({ weights }) => {
    const trap = weights === null ? null : explainNameTrap(weights);
    return trap ? [`  ${weights}: ${trap.text}`] : [];
  });
  const about =
    'Parameters with 1000 classes; GMACs per image; size and crop are those of the published top-1 and top-5.';
  return [...lines, '', about, ...(traps.length > 0 ? ['Names that are easily mistaken:', ...traps] : [])].join('\n');
}
