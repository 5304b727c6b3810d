/** Which of a host's Nodes runs the agent. */
import { quotePath } from '../shell/shell.ts';
import type { NodeRange } from './build-package.ts';

/** Where Nodes lie that a login without a terminal does not have in its PATH. */
const PLACES = [
  '"$(command -v node)"',
  '/usr/local/bin/node',
  '/usr/bin/node',
  '"$HOME"/.nvm/versions/node/*/bin/node',
  '"$HOME"/.local/share/fnm/node-versions/*/installation/bin/node',
  '"$HOME"/.volta/bin/node',
  '"$HOME"/.local/bin/node',
  '/opt/node*/bin/node',
];

/** Prints `@node=v20.19.0 /path` for each. */
export function listNodesScript(nodePath: string | undefined): string {
  const places = nodePath === undefined ? PLACES : [quotePath(nodePath)];
  return `for node in ${places.join(' ')}; do
  [ -x "$node" ] && version=$("$node" --version 2>/dev/null) && echo "@node=$version $node"
done`;
}

/** @param found `v20.19.0 /path` each @returns path of the newest that fits, or what was there instead */
export function chooseNode(found: readonly string[], range: NodeRange): { path: string } | { seen: string[] } {
  const nodes = found.flatMap((line) => {
    const parts = /^v(\d+)\.(\d+)\.(\d+)\S* (\/[A-Za-z0-9._/@+-]+)$/.exec(line);
    return parts ? [{ version: parts.slice(1, 4).map(Number) as [number, number, number], path: parts[4]! }] : [];
  });
  const fitting = nodes.filter(({ version: [major, minor] }) => {
    const [fromMajor, fromMinor] = range.from;
    return major < range.below && (major > fromMajor || (major === fromMajor && minor >= fromMinor));
  });
  const [newest] = fitting.sort((a, b) => compare(b.version, a.version));
  return newest ? { path: newest.path } : { seen: nodes.map(({ version, path }) => `${version.join('.')} (${path})`) };
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

export const describeRange = ({ from, below }: NodeRange): string => `${from.join('.')} or newer, below ${below}`;
