/** claimRuns: what answers an agent that asks for work. Claim, rewind and grant are one transaction. */
import type { Grant } from '@mealtable/protocol/agent-messages';
import { usableClassCounts } from '../hosts/datasets.ts';
import { claimQueuedRuns } from './claim.ts';
import { buildGrant } from './grant.ts';
import { finishAttempt } from './lifecycle.ts';
import { understoodRuns } from './refusals.ts';
import { rewindRun } from './rewind.ts';
import { type CoreHub, transact } from './transaction.ts';

/**
 * Gives a host up to `freeSlots` runs. A run whose teachers or start cannot be had fails as `weights_missing` here,
 * before it costs the host anything.
 * @param only this run, if it can be had; null for any
 */
export async function claimRuns(
  hub: CoreHub,
  hostId: string,
  freeSlots: number,
  only: string | null = null,
): Promise<Grant[]> {
  return transact(hub, async (tx) => {
    const grants: Grant[] = [];
    const classCounts = await usableClassCounts(tx, hostId);
    const understood = await understoodRuns(tx, hostId);
    const eligible = only === null ? understood : [only].filter((id) => understood?.includes(id) ?? true);
    const claims = await claimQueuedRuns(tx, hostId, freeSlots, eligible);
    for (const claim of claims) {
      tx.runChanged(claim.runId);
      if (claim.attempt > 1) await rewindRun(tx, claim);
      const result = await buildGrant(tx, claim, classCounts);
      if (result.ok) grants.push(result.grant);
      else
        await finishAttempt(tx, claim.runId, claim.attempt, {
          outcome: 'failed',
          failureCode: 'weights_missing',
          message: result.message,
          exitCode: null,
          signal: null,
        });
    }
    return grants;
  });
}
