/** The indexes that a hub keeps: a few studies, made when somebody looks, right whenever they are asked. */
import { AppError } from '@mealtable/protocol/errors';
import type { RunField } from '@mealtable/protocol/run-query-fields';
import type { RunSummaryView } from '@mealtable/protocol/views';
import type { Hub } from '../../context.ts';
import { RunIndex } from './run-index.ts';

export type IndexHub = Pick<Hub, 'pool' | 'bus'>;

export interface IndexLimits {
  /** Runs of all kept indexes together; the study that was asked for longest ago goes first. About 3 kB each. */
  maxRuns: number;
  /**
   * However quiet it was, after so long the versions of all rows are compared: the bus tells of what this hub did, and nothing
   * of what was lost with the database's connection or done by hand.
   */
  doubtAfterMs: number;
}
const LIMITS: IndexLimits = { maxRuns: 50_000, doubtAfterMs: 15_000 };
/** New metrics are looked for this often while runs report. */
const METRICS_EVERY_MS = 2_000;

interface Kept {
  index: Promise<RunIndex>;
  /** Runs of it; 0 while it is being read. */
  size: number;
  /** Runs that have changed since they were read. */
  changed: Set<string>;
  /** The list of runs may have changed, or more than the bus tells. */
  isDoubtful: boolean;
  comparedAt: number;
  metricsReadAt: number;
  /** One refresh at a time; who comes meanwhile waits for the next. Nothing in the index changes outside of a turn. */
  turn: Promise<unknown>;
}

export class RunIndexes {
  private readonly hub: IndexHub;
  private readonly limits: IndexLimits;
  private readonly clock: () => number;
  private readonly kept = new Map<string, Kept>();

  /** @param clock milliseconds, of any origin */
  constructor(hub: IndexHub, limits: IndexLimits = LIMITS, clock: () => number = () => performance.now()) {
    this.hub = hub;
    this.limits = limits;
    this.clock = clock;
    hub.bus.on('run:changed', this.onRun);
    hub.bus.on('study:changed', this.onStudy);
  }

  /**
   * As the database is now, but for what was committed meanwhile.
   * @param fieldsOf what the caller is going to look at, loaded as well @throws {AppError} not_found
   */
  async get(studyId: string, fieldsOf: (index: RunIndex) => RunField[] = () => []): Promise<RunIndex> {
    const known = this.kept.get(studyId);
    const kept = known ?? this.begin(studyId);
    // The newest use last.
    this.kept.delete(studyId);
    this.kept.set(studyId, kept);
    const turn = kept.turn.then(async () => {
      const fresh = await this.refresh(studyId, kept);
      await fresh.prepare(this.hub.pool, fieldsOf(fresh));
      return fresh;
    });
    kept.turn = turn.catch(() => {});
    try {
      const index = await turn;
      kept.size = index.runs.length;
      this.evict(studyId);
      return index;
    } catch (error) {
      // Half read it would be wrong for ever; the next who asks reads it anew.
      if (this.kept.get(studyId) === kept) this.kept.delete(studyId);
      throw error;
    }
  }

  /** Who asks the hub's afterwards gets new ones. */
  close(): void {
    if (all.get(this.hub.bus) === this) all.delete(this.hub.bus);
    this.hub.bus.off('run:changed', this.onRun);
    this.hub.bus.off('study:changed', this.onStudy);
    this.kept.clear();
  }

  private readonly onRun = ({ id, studyId }: RunSummaryView): void => {
    this.kept.get(studyId)?.changed.add(id);
  };
  private readonly onStudy = ({ studyId }: { studyId: string }): void => {
    const kept = this.kept.get(studyId);
    if (kept) kept.isDoubtful = true;
  };

  private begin(studyId: string): Kept {
    const now = this.clock();
    // Whatever happens from here on is heard of, though some of it may be read already.
    const index = RunIndex.load(this.hub.pool, studyId);
    index.catch(() => {});
    return {
      index,
      size: 0,
      changed: new Set(),
      isDoubtful: false,
      comparedAt: now,
      metricsReadAt: now,
      turn: Promise.resolve(),
    };
  }

  private async refresh(studyId: string, kept: Kept): Promise<RunIndex> {
    const index = await kept.index;
    const now = this.clock();
    const changed = new Set(kept.changed);
    kept.changed.clear();
    const isNew = [...changed].some((id) => !index.rowOf.has(id));
    if (isNew || kept.isDoubtful || now - kept.comparedAt > this.limits.doubtAfterMs) {
      kept.isDoubtful = false;
      kept.comparedAt = now;
      const found = await index.compare(this.hub.pool);
      if (!found.isSame) {
        kept.index = RunIndex.load(this.hub.pool, studyId);
        return kept.index;
      }
      for (const id of found.changed) changed.add(id);
      // A study without runs looks like one that is gone.
      if (index.runs.length === 0) await this.checkExists(studyId);
    }
    if (changed.size > 0) {
      await index.reload(this.hub.pool, [...changed]);
      if (now - kept.metricsReadAt > METRICS_EVERY_MS) {
        kept.metricsReadAt = now;
        await index.reloadMetricNames(this.hub.pool);
      }
    }
    return index;
  }

  private async checkExists(studyId: string): Promise<void> {
    const { rows } = await this.hub.pool.query(`SELECT 1 FROM studies WHERE id = $1`, [studyId]);
    if (rows.length === 0) throw new AppError('not_found', `There is no study ${studyId}.`);
  }

  /** The one just asked for stays, however large. */
  private evict(keptId: string): void {
    let runs = 0;
    for (const { size } of this.kept.values()) runs += size;
    for (const [id, { size }] of this.kept) {
      if (runs <= this.limits.maxRuns) return;
      if (id === keptId) continue;
      this.kept.delete(id);
      runs -= size;
    }
  }
}

const all = new WeakMap<Hub['bus'], RunIndexes>();

/** Those of this hub, made with their first use. */
export function runIndexes(hub: IndexHub): RunIndexes {
  const known = all.get(hub.bus) ?? new RunIndexes(hub);
  all.set(hub.bus, known);
  return known;
}
