/** A config as fields by dotted names, whatever it holds: `config.optimizer.schedule.kind`. */
import type { RunCell } from '@mealtable/protocol/run-query-view';

/** The same in every run. */
const LEFT_OUT = new Set(['version']);

export function flattenConfig(config: object): Map<string, RunCell> {
  const fields = new Map<string, RunCell>();
  visit('config', config, fields);
  return fields;
}

function visit(name: string, value: unknown, fields: Map<string, RunCell>): void {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) fields.set(name, value.map(describe));
  else if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) if (!LEFT_OUT.has(key)) visit(`${name}.${key}`, inner, fields);
  } else if (typeof value === 'number' || typeof value === 'boolean') fields.set(name, value);
  else fields.set(name, String(value));
}

/** An entry of a list. Teachers are known by their run or their weights. */
function describe(entry: unknown): string {
  if (entry === null || typeof entry !== 'object') return String(entry);
  const { runId, weights } = entry as { runId?: unknown; weights?: unknown };
  return typeof runId === 'string' ? runId : typeof weights === 'string' ? weights : JSON.stringify(entry);
}
