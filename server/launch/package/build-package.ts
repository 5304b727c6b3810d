/** The package of a training host: the bundled agent and trainer, what sets TensorFlow up, and the lock of their dependencies. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';

export interface TrainerPackage {
  /** A tar.gz. Equal contents give equal bytes, whoever packs them and when. */
  content: Buffer;
  /** Of `content`: its name on hosts. */
  sha256: string;
  /** Of what npm installs from: versions with the same one share their dependencies on a host. */
  lockSha256: string;
  /** First Node version that runs it, and the first major one that does not. */
  node: NodeRange;
}
export interface NodeRange {
  from: [major: number, minor: number];
  below: number;
}

/** What npm reads to install the trainer's dependencies and nothing else. */
export const LOCK_FILES = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'protocol/package.json',
  'trainer/package.json',
];
const PROGRAMS = ['agent.js', 'trainer.js', 'trainer-shim.pl', 'image-worker.js', 'check-images.js'].map(
  (name) => `dist/${name}`,
);
const FOLDERS = ['trainer/engine/setup', 'trainer/datasets'];

const MAX_PACKAGE_BYTES = 200_000_000;

/** @param root of the project, built @throws when a file of the package is missing */
export async function buildPackage(root: string): Promise<TrainerPackage> {
  const missing = [...LOCK_FILES, ...PROGRAMS].find((file) => !existsSync(path.join(root, file)));
  if (missing) throw new Error(`${path.join(root, missing)} is missing: build the project with npm run build.`);
  const folders = FOLDERS.filter((folder) => existsSync(path.join(root, folder)));
  const content = await promisify(gzip)(await pack(root, [...LOCK_FILES, ...PROGRAMS, ...folders]), { level: 6 });
  const lock = createHash('sha256');
  for (const file of LOCK_FILES) lock.update(`${file}\0`).update(readFileSync(path.join(root, file)));
  return {
    content,
    sha256: createHash('sha256').update(content).digest('hex'),
    lockSha256: lock.digest('hex'),
    node: readNodeRange(readFileSync(path.join(root, 'package.json'), 'utf8')),
  };
}

/** Owners, times and the order of folders would differ from hub to hub. */
async function pack(root: string, entries: readonly string[]): Promise<Buffer> {
  const options = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  const { stdout } = await promisify(execFile)(
    'tar',
    [...options, '--format=ustar', '-cf', '-', '-C', root, ...entries],
    {
      encoding: 'buffer',
      maxBuffer: MAX_PACKAGE_BYTES,
    },
  );
  return stdout;
}

const PackageFile = z.object({ engines: z.object({ node: z.string() }) });

export function readNodeRange(packageJson: string): NodeRange {
  const { engines } = PackageFile.parse(JSON.parse(packageJson));
  const found = /^>=(\d+)\.(\d+) <(\d+)$/.exec(engines.node);
  if (!found) throw new Error(`engines.node of package.json must be ">=major.minor <major"; it is "${engines.node}".`);
  return { from: [Number(found[1]), Number(found[2])], below: Number(found[3]) };
}
