/** Keys of a JSON object as they are written: JSON.parse keeps only the last of those that are there twice. */

/**
 * The first key that stands twice in the outermost object of `json`, or null.
 * @param json text that JSON.parse accepts and that is an object
 */
export function findRepeatedKey(json: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  let isKey = false;
  // Step by step and not by a regular expression, which a text of megabytes would overflow.
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      const end = endOfText(json, at);
      if (isKey) {
        const key = JSON.parse(json.slice(at, end)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
      }
      isKey = false;
      at = end - 1;
    } else if (character === '{' || character === '[') {
      depth++;
      isKey = depth === 1;
    } else if (character === '}' || character === ']') depth--;
    else if (character === ',') isKey = depth === 1;
  }
  return null;
}

/** Index behind the quotation mark that closes the text whose opening one is at `begin`. */
function endOfText(json: string, begin: number): number {
  for (let at = begin + 1; ; at++) {
    if (json[at] === '\\') at++;
    else if (json[at] === '"') return at + 1;
  }
}
