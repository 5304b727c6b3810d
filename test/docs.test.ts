/** The documents name only what there is: commands, files, and headings that are linked to. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import trainerPackage from '../trainer/package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENTS = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((n) => (n.endsWith('.md') ? [`docs/${n}`] : [])),
];
const textOf = (document: string) => readFileSync(join(ROOT, document), 'utf8');
const matches = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))];

/** @param command `start`, `run models`, `run doctor -w trainer` */
function exists(command: string): boolean {
  const [, script, workspace] = command.match(/^(?:run (?:--silent )?)?(\S+)(?: -w (\w+))?$/) ?? [];
  const { scripts } = workspace === 'trainer' ? trainerPackage : packageJson;
  return Object.hasOwn(scripts, script!);
}

/** As GitHub names them. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

/** Links that lead nowhere; the web is not asked. */
function brokenLinks(document: string): string[] {
  const links = matches(textOf(document), /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link));
  return links.filter((link) => {
    const [path, anchor] = link.split('#') as [string, string?];
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(join(ROOT, target))) return true;
    return (
      anchor !== undefined &&
      !matches(textOf(target), /^#+ (.+)$/gm)
        .map(anchorOf)
        .includes(anchor)
    );
  });
}

describe.each(DOCUMENTS)('%s', (document) => {
  test('names commands that package.json has', () => {
    const commands = matches(textOf(document), /\bnpm ((?:run (?:--silent )?[a-z][\w:-]*|start|test)\b(?: -w \w+)?)/g);
    expect(commands.filter((command) => !exists(command))).toEqual([]);
  });

  test('links to files and headings that exist', () => {
    expect(brokenLinks(document)).toEqual([]);
  });
});

test('README’s table of folders names folders that exist', () => {
  const rows = textOf('README.md')
    .split('\n')
    .filter((line) => /^\| `[^`]+\/`/.test(line));
  const folders = rows.flatMap((row) => matches(row.split('|')[1]!, /`([^`]+)\/`/g));
  expect(folders).toContain('trainer');
  expect(folders.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
});
