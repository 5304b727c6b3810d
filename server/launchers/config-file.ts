/** The hub's config file: launchers that are kept with the installation instead of in its database. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ConfiguredLauncher } from '@mealtable/protocol/launchers';
import { z } from 'zod';
import type { HubEnv } from '../env.ts';

export interface HubConfig {
  launchers: z.infer<typeof ConfiguredLauncher>[];
  /** One sentence for each entry that cannot be used, naming the field and the fix. */
  problems: string[];
}

const ConfigFile = z.strictObject({ launchers: z.array(z.unknown()).default([]) });

/** @param file MEALTABLE_CONFIG; null: mealtable.config.json in the data folder, if there is one */
export function readHubConfig({ configFile, dataDir }: Pick<HubEnv, 'configFile' | 'dataDir'>): HubConfig {
  const file = configFile ?? path.join(dataDir, 'mealtable.config.json');
  if (!existsSync(file))
    return { launchers: [], problems: configFile === null ? [] : [`The config file ${file} is not there.`] };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return { launchers: [], problems: [`${file} cannot be read as JSON: ${(error as Error).message}.`] };
  }
  const parsed = ConfigFile.safeParse(json);
  if (!parsed.success) return { launchers: [], problems: parsed.error.issues.map((issue) => explain(file, [], issue)) };
  const config: HubConfig = { launchers: [], problems: [] };
  for (const [i, entry] of parsed.data.launchers.entries()) {
    const launcher = ConfiguredLauncher.safeParse(entry);
    if (!launcher.success)
      config.problems.push(...launcher.error.issues.map((issue) => explain(file, ['launchers', i], issue)));
    else if (config.launchers.some(({ name }) => name === launcher.data.name))
      config.problems.push(`${file}, launchers.${i}.name: "${launcher.data.name}" is there twice.`);
    else config.launchers.push(launcher.data);
  }
  return config;
}

const explain = (file: string, before: PropertyKey[], { path: at, message }: z.core.$ZodIssue) =>
  `${file}, ${[...before, ...at].map(String).join('.') || 'its top'}: ${message}`;
