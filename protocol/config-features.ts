/**
 * What a version of Mealtable understands of run configs, as a list of features that versions can compare: every field, `softLabels` or
 * `softLabels.mode`, and every value of a field that has named ones, `network=resnet18`. Taken from the schema itself, so that
 * none can be forgotten.
 */
import { z } from 'zod';
import { KNOWN_WEIGHTS } from './published-weights.ts';
import { RunConfig } from './run-config.ts';

interface SchemaNode {
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  allOf?: SchemaNode[];
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  prefixItems?: SchemaNode[];
  const?: unknown;
  enum?: unknown[];
}

let own: ReadonlySet<string> | undefined;

/** All that this version understands. */
export function configFeatures(): ReadonlySet<string> {
  own ??= listFeatures();
  return own;
}

function listFeatures(): Set<string> {
  const features = new Set<string>();
  const visit = (node: SchemaNode, path: string): void => {
    for (const part of [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])]) visit(part, path);
    for (const part of [...(node.items ? [node.items] : []), ...(node.prefixItems ?? [])]) visit(part, path);
    for (const value of node.const === undefined ? (node.enum ?? []) : [node.const]) features.add(`${path}=${value}`);
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const place = path === '' ? key : `${path}.${key}`;
      features.add(place);
      // The schema says of these names only that they are checked.
      if (key === 'weights') for (const name of KNOWN_WEIGHTS.keys()) features.add(`${place}=${name}`);
      visit(child, place);
    }
  };
  visit(z.toJSONSchema(RunConfig, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as SchemaNode, '');
  return features;
}

/** The features that a host needs for this config. */
export function featuresOf(config: RunConfig): string[] {
  const named = new Set([...configFeatures()].flatMap((feature) => feature.match(/^(.*)=/)?.[1] ?? []));
  const needs = new Set<string>();
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, path);
    else if (value !== null && typeof value === 'object') {
      for (const [key, child] of Object.entries(value)) {
        if (child === undefined) continue;
        const place = path === '' ? key : `${path}.${key}`;
        needs.add(place);
        visit(child, place);
      }
    } else if (named.has(path)) needs.add(`${path}=${value}`);
  };
  visit(config, '');
  return [...needs];
}
