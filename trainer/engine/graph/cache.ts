/** Graphs on disk, so that a configuration is recorded once per machine and not once per run. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GraphCache {
  folder: string;
  /** Everything that decides what the step computes: program version, networks, sizes, options. */
  key: string;
}

/** What a stored graph was made for. */
export interface StoredGraph {
  /** Inputs and variables with their types and shapes, and the outputs' names; compared before the graph is used. */
  signature: string;
  outputNames: string[];
  /** What to fetch for each part of the step to be computed alone. */
  partEdges: Record<string, string>;
  nodeCount: number;
  savedModel: Uint8Array;
}

/** Graphs are a few megabytes; the least recently used go first. */
const MAX_GRAPHS = 64;
const GRAPH_FILE = 'saved_model.pb';
const INFO_FILE = 'graph.json';

/** The graph stored under the key, or null when there is none, or one of another signature, or a damaged one. */
export function readGraph({ folder, key }: GraphCache, signature: string): StoredGraph | null {
  const entry = join(folder, nameOf(key));
  try {
    const info = JSON.parse(readFileSync(join(entry, INFO_FILE), 'utf8')) as Record<string, unknown>;
    const savedModel = readFileSync(join(entry, GRAPH_FILE));
    if (info.signature !== signature || info.sha256 !== hash(savedModel)) return null;
    const now = new Date();
    utimesSync(entry, now, now);
    return {
      signature,
      savedModel,
      outputNames: info.outputNames as string[],
      partEdges: info.partEdges as Record<string, string>,
      nodeCount: info.nodeCount as number,
    };
  } catch {
    return null; // Not there, or half deleted by another process: it is recorded anew.
  }
}

/** Stores a graph, whole or not at all. A cache that cannot be written costs a recording next time and nothing else. */
export function writeGraph({ folder, key }: GraphCache, { savedModel, ...info }: StoredGraph): void {
  const entry = join(folder, nameOf(key));
  const temporary = `${entry}.${process.pid}.tmp`;
  try {
    mkdirSync(temporary, { recursive: true });
    writeFileSync(join(temporary, GRAPH_FILE), savedModel);
    writeFileSync(join(temporary, INFO_FILE), JSON.stringify({ ...info, sha256: hash(savedModel) }));
    rmSync(entry, { recursive: true, force: true });
    renameSync(temporary, entry);
    removeOldest(folder);
  } catch {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function removeOldest(folder: string): void {
  const entries = readdirSync(folder).map((name) => ({ name, usedAt: statSync(join(folder, name)).mtimeMs }));
  entries.sort((a, b) => b.usedAt - a.usedAt);
  for (const { name } of entries.slice(MAX_GRAPHS)) rmSync(join(folder, name), { recursive: true, force: true });
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const nameOf = (key: string): string => hash(Buffer.from(key)).slice(0, 32);
