/** Keys of a JSON object as they are written: JSON.parse keeps only the last of those that are there twice. */

/**
 * The first key that stands twice in the outermost object of `json`, or null.
 * @param json text that JSON.parse accepts and that is an object
 */
export function findRepeatedKey(json: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  // Outside of strings only these five matter; strings are stepped over whole.
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;
  let isKey = false;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    const text = match[0];
    if (text === '{' || text === '[') {
      depth++;
      isKey = depth === 1;
    } else if (text === '}' || text === ']') depth--;
    else if (text === ',') isKey = depth === 1;
    else if (isKey) {
      const key = JSON.parse(text) as string;
      if (seen.has(key)) return key;
      seen.add(key);
      isKey = false;
    }
  }
  return null;
}
