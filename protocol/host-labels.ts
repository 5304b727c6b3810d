/** Labels of hosts: what a run may ask its host to have, such as `a100` or `room:2`. */
import { z } from 'zod';

export const HostLabel = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._:=-]{0,62}$/,
    'A label has 1-63 lower-case letters, digits, dots, dashes, underscores, colons or equals signs, and begins with a letter or digit.',
  );
/** Labels as they are stored: each once, in the order of the alphabet. */
export const HostLabels = z
  .array(HostLabel)
  .max(32, 'At most 32 labels.')
  .transform((labels) => [...new Set(labels)].sort());
