/** What a study would take on this hub's hosts, by what they have really computed so far. */

/** How much what was measured is like what is estimated: the same network and size, another size, or other networks. */
export type Likeness = 'same' | 'other-size' | 'other-network';

/** How long a study takes. */
export interface StudyTime {
  /** From beginning to end with all slots at work. */
  wallMs: number;
  /** Time of slots, taken together. */
  slotMs: number;
}

export interface HostEstimate {
  hostId: string;
  name: string;
  slots: number;
  /** Its recent runs that speeds were taken from. */
  measuredRuns: number;
  /** Share of the study's labels that the host keeps already, 0 to 1; null for a study that needs none. */
  labelled: number | null;
}

export interface StudyEstimate {
  /** Those online that have the dataset. Hosts without a measured run do not count for times. */
  hosts: HostEstimate[];
  /** Every run asks its teachers in every step; null where nothing was measured. */
  online: StudyTime | null;
  /** Every label is computed once, or once on each host, unless it is there; null where nothing was measured. */
  shared: StudyTime | null;
  /** The least like of all that speeds were taken from; null where nothing was measured. */
  likeness: Likeness | null;
  /** Whether speeds were taken from runs of another precision. */
  isOtherPrecision: boolean;
  /** Of all labels on the disk, on each host that keeps them; 0 for a study that needs none. */
  labelBytes: number;
}
