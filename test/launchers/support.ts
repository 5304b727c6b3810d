/** A hub whose launchers bring a small project, asked as its owner. */
import type { UserRole } from '@mealtable/protocol/statuses';
import { createCaller } from '../../server/api/root.ts';
import type { Member } from '../../server/context.ts';
import type { LaunchersOptions } from '../../server/launchers/launchers.ts';
import { smallDesign } from '../support/core.ts';
import { startTestHub, type TestHub } from '../support/hub.ts';

/** Everything that waits for a time waits a short one. */
export const SHORT: Pick<LaunchersOptions, 'roundMs' | 'lookMs' | 'limits'> = {
  roundMs: 300,
  lookMs: 1_000,
  limits: { backoffMs: 100, leaveMs: 3_000, faultMs: 300, resubmitMs: 20_000 },
};

export const startLaunchHub = (
  projectDir: string,
  variables: Record<string, string> = {},
  more: Partial<LaunchersOptions> = {},
): Promise<TestHub> =>
  startTestHub({ launch: { projectDir, variables: { ...process.env, ...variables }, ...SHORT, ...more } });

/** The API as a member of that role has it. */
export async function callerAs(test: TestHub, role: UserRole) {
  const { id, email } = await test.addMember(role);
  const member: Member = { id, name: `The ${role}`, email, role, via: 'session', credentialId: 's' };
  return () => createCaller({ ...test.hub, member });
}

/** A teacher and a student of as many epochs as the small project's trainer makes. */
export const shortDesign = () => ({ ...smallDesign(), epochs: 2 });
