/** The programs of a training host, bundled as `npm run build` does: packages stay outside. */
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../../..');

/** @returns the packages that the programs import, builtin modules included */
export async function bundleHostPrograms(outdir: string): Promise<Set<string>> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: {
      agent: 'trainer/agent/main.ts',
      trainer: 'trainer/train/main.ts',
      'image-worker': 'trainer/data/image-worker.ts',
      'check-images': 'trainer/data/check-images.ts',
    },
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    metafile: true,
    alias: { '@mealtable/protocol': join(ROOT, 'protocol'), '@mealtable/trainer': join(ROOT, 'trainer') },
    logLevel: 'warning',
  });
  copyFileSync(join(ROOT, 'trainer/agent/trainer-shim.pl'), join(outdir, 'trainer-shim.pl'));
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return new Set(imports.filter(({ external }) => external).map(({ path }) => packageOf(path)));
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const [scope, name] = specifier.split('/');
  return scope!.startsWith('@') ? `${scope}/${name}` : scope!;
}
