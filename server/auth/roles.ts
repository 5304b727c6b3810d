import type { UserRole } from '@mealtable/protocol/statuses';

const RANK: Readonly<Record<UserRole, number>> = { viewer: 0, editor: 1, owner: 2 };

/** True when `role` may do what `needed` may. */
export const hasRole = (role: UserRole, needed: UserRole): boolean => RANK[role] >= RANK[needed];

export const lowerRole = (a: UserRole, b: UserRole): UserRole => (RANK[a] < RANK[b] ? a : b);
