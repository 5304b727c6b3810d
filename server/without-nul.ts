/** Postgres text and jsonb hold every character but NUL; a stray one in a log line must not cost the whole batch. */
const NUL = String.fromCharCode(0);

export function withoutNul<T extends string | null>(text: T): T {
  return text === null ? text : (text.replaceAll(NUL, '\uFFFD') as T);
}

/** The same for every string and key in a JSON value. */
export function withoutNulDeep<T>(value: T): T {
  if (typeof value === 'string') return withoutNul(value);
  if (Array.isArray(value)) return value.map(withoutNulDeep) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [withoutNul(k), withoutNulDeep(v)])) as T;
}
