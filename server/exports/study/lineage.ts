/** Whose weights a model comes from: its start and its teachers, and theirs in turn. */
import { KNOWN_WEIGHTS } from '@mealtable/protocol/published-weights';
import { RunConfig, teachersOf } from '@mealtable/protocol/run-config';
import { loadBestModels } from '../../checkpoints/checkpoint-rows.ts';
import type { Queryable } from '../../runs/summary.ts';

export interface Ancestor {
  relation: 'teacher' | 'initialisation';
  /** Of what it is an ancestor: null for the model itself, else a run. */
  of: string | null;
  /** A run, or null for published weights. */
  runId: string | null;
  name: string;
  network: string;
  /** What a teacher counts in the ensemble; null for a start. */
  weight: number | null;
  /** Of the weights file; null where the hub does not have it, as with published weights, which hosts fetch for themselves. */
  sha256: string | null;
  /** Percent: of the run's best checkpoint, or as published. */
  top1: number | null;
}

type Link = Omit<Ancestor, 'name' | 'network' | 'sha256' | 'top1'> & { weights: string | null };

/** What one config names. */
function linksOf(config: RunConfig, of: string | null): Link[] {
  const links = teachersOf(config).map((teacher): Link => {
    const weight = teacher.weight ?? 1;
    const isRun = teacher.kind === 'run';
    return {
      ...{ relation: 'teacher', of, weight },
      runId: isRun ? teacher.runId : null,
      weights: isRun ? null : teacher.weights,
    };
  });
  if (!('initialisation' in config) || config.initialisation.kind === 'random') return links;
  const start = config.initialisation;
  const runId = start.kind === 'run' ? start.runId : null;
  const weights = start.kind === 'pretrained' ? start.weights : null;
  return [{ relation: 'initialisation', of, weight: null, runId, weights }, ...links];
}

/** Nearest first; a run that is an ancestor in several ways is listed for each, its own ancestors once. */
export async function loadLineage(db: Queryable, config: RunConfig): Promise<Ancestor[]> {
  const lineage: Ancestor[] = [];
  const seen = new Set<string>();
  for (let links = linksOf(config, null); links.length > 0; ) {
    const runs = await loadRuns(
      db,
      links.flatMap(({ runId }) => runId ?? []),
    );
    lineage.push(...links.map((link) => describe(link, runs)));
    const further = [...runs.values()].filter(({ id }) => !seen.has(id));
    for (const { id } of further) seen.add(id);
    links = further.flatMap((run) => linksOf(run.config, run.id));
  }
  return lineage;
}

interface KnownRun {
  id: string;
  name: string;
  network: string;
  config: RunConfig;
  sha256: string | null;
  top1: number | null;
}

async function loadRuns(db: Queryable, runIds: readonly string[]): Promise<Map<string, KnownRun>> {
  if (runIds.length === 0) return new Map();
  const { rows } = await db.query<{ id: string; name: string; network: string; config: unknown }>(
    `SELECT r.id, s.name || ': ' || v.label || ', seed ' || r.seed AS name, r.network, r.config
     FROM runs r JOIN variants v ON v.id = r.variant_id JOIN studies s ON s.id = r.study_id WHERE r.id = ANY($1)`,
    [runIds],
  );
  const models = await loadBestModels(
    db,
    rows.map(({ id }) => id),
  );
  return new Map(
    rows.map((row) => {
      const model = models.get(row.id);
      const weights = { sha256: model?.file.sha256 ?? null, top1: model?.checkpoint.top1 ?? null };
      return [row.id, { ...row, config: RunConfig.parse(row.config), ...weights }];
    }),
  );
}

function describe({ weights, ...link }: Link, runs: ReadonlyMap<string, KnownRun>): Ancestor {
  if (weights !== null) {
    const known = KNOWN_WEIGHTS.get(weights);
    const top1 = known?.published.top1 ?? null;
    return { ...link, name: weights, network: known?.network ?? weights, sha256: null, top1 };
  }
  const run = runs.get(link.runId ?? '');
  const { name, network, sha256, top1 } = run ?? {
    name: 'a run that was removed',
    network: '?',
    sha256: null,
    top1: null,
  };
  return { ...link, name, network, sha256, top1 };
}
