/** The names that files are saved under when they are downloaded: they say what it is, and cannot surprise any file system or header. */
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';

const MAX_PART = 80;

/** Letters, digits, dashes, underscores, and dots between them; everything else becomes one dash. Accents are dropped. */
function makeSafe(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  const safe = plain.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/(?<![A-Za-z0-9])\.|\.(?![A-Za-z0-9])/g, '-');
  return safe
    .replaceAll(/-{2,}/g, '-')
    .slice(0, MAX_PART)
    .replaceAll(/^[-.]+|[-.]+$/g, '');
}

/** The parts that say something, joined by dashes. */
export const nameFile = (parts: readonly string[]): string =>
  parts
    .map(makeSafe)
    .filter((part) => part !== '')
    .join('-');

/** `<study>-<variant>-seed<seed>-epoch<e>.safetensors`; the files for resuming keep their own name at the end. */
export function downloadName(
  of: { study: string; variant: string; seed: number; epoch: number },
  file: string,
): string {
  const stem = nameFile([of.study, of.variant, `seed${of.seed}`, `epoch${Number(of.epoch.toFixed(2))}`]);
  return file === CHECKPOINT_FILES.model ? `${stem}.safetensors` : `${stem}-${makeSafe(file)}`;
}
