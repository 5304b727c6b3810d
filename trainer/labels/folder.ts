import { join } from 'node:path';
import { findCacheFolder } from '../engine/setup/plan.mjs';

/** Of the labels of all datasets and teachers on this host. */
export const labelsFolder = (env: Record<string, string | undefined>): string => join(findCacheFolder(env), 'labels');
