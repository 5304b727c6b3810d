// What `npm start` and `npm test` need, each step done only when something it depends on has changed.
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fingerprint, inRoot, ROOT, readStamp, run, SetupError, say, step, withLock, writeStamp } from './shell.mjs';

const PLATFORM = `${process.platform}-${process.arch}-node${process.versions.modules}`;
const OLDEST_NODE = [20, 19];

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]) || major >= 23)
    throw new SetupError(
      `Node ${process.versions.node} cannot run the trainer's TensorFlow addon: install Node 20 (from 20.19) or 22.`,
    );
}

/** Dependencies exactly as in the lock file. */
export async function ensureDependencies() {
  checkNode();
  const stamp = inRoot('node_modules', '.mealtable');
  const wanted = fingerprint(['package-lock.json'], PLATFORM);
  if (readStamp(stamp) === wanted) return;
  await withLock('dependencies', async () => {
    if (readStamp(stamp) === wanted) return;
    await step('Installing dependencies from the lock file', async () => {
      const code = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
        quiet: true,
      });
      if (code !== 0)
        throw new SetupError(
          'npm could not install the dependencies: see its message above; a network or registry setting is the usual cause.',
        );
      writeStamp(stamp, wanted);
    });
  });
}

/** The database client, generated from prisma/schema.prisma. */
export async function ensurePrisma() {
  const stamp = inRoot('prisma', 'generated', '.stamp');
  const wanted = fingerprint(['prisma/schema.prisma', 'package-lock.json']);
  if (readStamp(stamp) === wanted) return;
  await withLock('prisma', async () => {
    if (readStamp(stamp) === wanted) return;
    await step('Generating the database client', async () => {
      const code = await run(process.execPath, [inRoot('node_modules/prisma/build/index.js'), 'generate'], {
        quiet: true,
      });
      if (code !== 0) throw new SetupError('prisma generate failed: see its message above.');
      writeStamp(stamp, wanted);
    });
  });
}

/** TensorFlow's library and its addon. Without them training falls back to plain JavaScript, announced and slow. */
export async function ensureTensorflow() {
  const code = await run(process.execPath, [inRoot('trainer/engine/setup/main.mjs')]);
  if (code !== 0 && code !== 3)
    throw new SetupError('The TensorFlow set-up failed: see its message above, then try again.');
  return code === 0;
}

const SOURCES = ['protocol', 'server', 'trainer', 'app', 'components', 'prisma/schema.prisma', '.setup/bundle.mjs'];
const CONFIGS = ['package-lock.json', 'tsconfig.json', 'next.config.ts', 'postcss.config.mjs'];

/** The programs in dist/ (hub, agent, trainer) and, unless `pages` is false, the pages in .next/. */
export async function ensureBuild({ pages = true } = {}) {
  await ensurePrisma();
  const stamp = inRoot('dist', '.stamp');
  const wanted = fingerprint([...SOURCES, ...CONFIGS], PLATFORM);
  await withLock('build', async () => {
    if (readStamp(stamp) !== wanted) {
      await step('Building the programs', async () => {
        if ((await run(process.execPath, [inRoot('.setup/bundle.mjs')], { quiet: true })) !== 0)
          throw new SetupError('The programs could not be built: see the message above.');
        writeStamp(stamp, wanted);
      });
    }
    const pagesStamp = inRoot('.next', '.stamp');
    if (!pages || readStamp(pagesStamp) === wanted) return;
    await step('Building the pages', async () => {
      rmSync(inRoot('.next', 'dev'), { recursive: true, force: true }); // a stale dev page would fail the type check
      const next = inRoot('node_modules/next/dist/bin/next');
      const env = { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };
      if ((await run(process.execPath, [next, 'build'], { quiet: true, env })) !== 0)
        throw new SetupError('The pages could not be built: see the message above.');
      writeStamp(pagesStamp, wanted);
    });
  });
}

/** @returns the path of a Chromium for the browser tests, or null with a sentence printed when there is none to be had */
export async function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  const apt = onPath('apt-get');
  if (apt && process.getuid?.() === 0) {
    await step('Installing Chromium for the browser tests', async () => {
      const env = { DEBIAN_FRONTEND: 'noninteractive' };
      await run(apt, ['update', '-qq'], { quiet: true, env });
      await run(apt, ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], {
        quiet: true,
        env,
      });
    });
    const installed = findBrowser();
    if (installed) return installed;
  }
  say(
    'No Chromium was found, so the browser tests are skipped: install it (Debian: apt-get install chromium) or set MEALTABLE_CHROMIUM to its path.',
  );
  return null;
}

function findBrowser() {
  const given = process.env.MEALTABLE_CHROMIUM;
  if (given) {
    if (!existsSync(given)) throw new SetupError(`MEALTABLE_CHROMIUM names ${given}, which does not exist.`);
    return given;
  }
  return ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map(onPath).find(Boolean) ?? null;
}

function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder || ROOT, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this folder
    }
  }
  return null;
}
