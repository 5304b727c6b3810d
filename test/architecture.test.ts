/** The import arrows of the project: who may know whom. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const TOP = ['protocol', 'server', 'prisma', 'trainer', 'app', 'components', 'test', 'bench'] as const;
type Top = (typeof TOP)[number];

/** `types` = only through `import type`. */
const ALLOWED: Record<Top, Partial<Record<Top, 'any' | 'types'>>> = {
  protocol: {},
  server: { protocol: 'any', prisma: 'any' },
  prisma: {},
  trainer: { protocol: 'any' },
  components: { protocol: 'any', server: 'types' },
  app: { components: 'any', protocol: 'any' },
  test: { protocol: 'any', server: 'any', prisma: 'any', trainer: 'any', app: 'any', components: 'any', bench: 'any' },
  bench: { protocol: 'any', server: 'any', trainer: 'any', prisma: 'any', test: 'any' },
};
/** The agent carries no TensorFlow: a native abort must not take it down. */
const AGENT_FORBIDDEN = [/^@tensorflow\//, /^sharp$/];

interface Import {
  file: string;
  specifier: string;
  typeOnly: boolean;
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const full = path.join(dir, name);
    if (['node_modules', 'generated', 'migrations', 'datasets'].includes(name)) return [];
    if (statSync(full).isDirectory()) return sourceFiles(full);
    return /\.(ts|tsx|mjs)$/.test(name) && !name.endsWith('.d.ts') ? [full] : [];
  });
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const statement = /^\s*(import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  for (const m of text.matchAll(statement)) found.push({ file, specifier: m[3]!, typeOnly: m[2] !== undefined });
  for (const m of text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ file, specifier: m[1]!, typeOnly: false });
  return found;
}

function topOf(file: string, specifier: string): Top | null {
  const workspace = specifier.match(/^@mealtable\/(protocol|trainer)(\/|$)/)?.[1];
  if (workspace) return workspace as Top;
  const target = specifier.startsWith('@/')
    ? specifier.slice(2)
    : specifier.startsWith('.')
      ? path.relative(ROOT, path.resolve(path.dirname(file), specifier))
      : null;
  const top = target?.split('/')[0];
  return TOP.find((t) => t === top) ?? null;
}

function violationsOf(imports: Import[]): string[] {
  return imports.flatMap(({ file, specifier, typeOnly }) => {
    const from = path.relative(ROOT, file).split('/')[0] as Top;
    const to = topOf(file, specifier);
    if (!to || to === from) return [];
    const rule = ALLOWED[from][to];
    if (rule === 'any' || (rule === 'types' && typeOnly)) return [];
    return [
      `${path.relative(ROOT, file)} imports ${specifier}${rule === 'types' ? ' (only its types may be imported)' : ''}`,
    ];
  });
}

const files = TOP.flatMap((top) => {
  const dir = path.join(ROOT, top);
  return statSync(dir, { throwIfNoEntry: false })?.isDirectory() ? sourceFiles(dir) : [];
});
const imports = files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')));

describe('import arrows', () => {
  it('point only where the architecture lets them', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(violationsOf(imports)).toEqual([]);
  });

  it('are really checked: a wrong one is found, in every spelling', () => {
    const wrong = [
      "import { db } from '../server/db.ts';",
      "export { db } from '@/server/db';",
      "const m = await import('../server/db.ts');",
      "import '../trainer/agent/main.ts';",
    ];
    for (const text of wrong)
      expect(violationsOf(importsOf(path.join(ROOT, 'app/page.tsx'), text)), text).toHaveLength(1);
    const typed = "import type { AppRouter } from '../server/api/root.ts';";
    expect(violationsOf(importsOf(path.join(ROOT, 'components/trpc.tsx'), typed))).toEqual([]);
    expect(violationsOf(importsOf(path.join(ROOT, 'trainer/x.ts'), typed))).toHaveLength(1);
  });

  it('keep TensorFlow and sharp out of the host agent, also through files it imports', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const i of imports.filter((x) => x.file === file && !x.typeOnly && x.specifier.startsWith('.')))
        visit(path.resolve(path.dirname(file), i.specifier));
    };
    for (const file of files.filter((f) => f.includes('/trainer/agent/'))) visit(file);
    const bad = imports.filter(
      (i) => reached.has(i.file) && !i.typeOnly && AGENT_FORBIDDEN.some((f) => f.test(i.specifier)),
    );
    expect(reached.size).toBeGreaterThan(5);
    expect(bad.map((i) => `${path.relative(ROOT, i.file)} imports ${i.specifier}`)).toEqual([]);
  });

  it('leave protocol with zod alone', () => {
    const foreign = imports.filter(
      (i) => i.file.startsWith(path.join(ROOT, 'protocol')) && !i.specifier.startsWith('.') && i.specifier !== 'zod',
    );
    expect(foreign).toEqual([]);
  });
});

describe('files', () => {
  it('stay under 500 lines', () => {
    const long = files
      .map((f) => [path.relative(ROOT, f), readFileSync(f, 'utf8').split('\n').length] as const)
      .filter(([, n]) => n > 500);
    expect(long).toEqual([]);
  });
});
