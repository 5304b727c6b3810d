/** Sections of charts: by the part of a metric's name before the slash. */
export interface MetricGroup {
  section: string;
  title: string;
  metrics: string[];
  color: number;
  /** One of Mealtable's own: open from the start. */
  isKnown: boolean;
}

/** Validation first: it is what a study is about. */
const KNOWN: Record<string, { title: string; rank: number; color: number }> = {
  val: { title: 'Validation', rank: 0, color: 0 },
  test: { title: 'Final test', rank: 1, color: 0 },
  train: { title: 'Training', rank: 1, color: 1 },
  evaluation: { title: 'Evaluation', rank: 1, color: 1 },
  data: { title: 'Data', rank: 2, color: 4 },
  memory: { title: 'Memory', rank: 3, color: 3 },
};
/** Within a section what is most asked for comes first; the rest by name. */
const FIRST = ['top1', 'loss', 'top5', 'similarity_loss', 'discriminator_loss', 'learning_rate', 'lr'];

const sectionOf = (metric: string) => metric.slice(0, Math.max(0, metric.indexOf('/')));
export const nameInSection = (metric: string) => metric.slice(metric.indexOf('/') + 1);
const rankOf = (metric: string) => {
  const rank = FIRST.indexOf(nameInSection(metric));
  return rank === -1 ? FIRST.length : rank;
};

/** @param search only metrics whose name contains it, whatever the case */
export function groupMetrics(metrics: readonly string[], search = ''): MetricGroup[] {
  const wanted = search.trim().toLowerCase();
  const sections = new Map<string, string[]>();
  for (const metric of metrics) {
    if (!metric.toLowerCase().includes(wanted)) continue;
    const section = sectionOf(metric);
    const members = sections.get(section);
    if (members) members.push(metric);
    else sections.set(section, [metric]);
  }
  // Thousands of names: a comparison that knows languages would take a second.
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...sections]
    .sort(([a], [b]) => (KNOWN[a]?.rank ?? 9) - (KNOWN[b]?.rank ?? 9) || byName(a, b))
    .map(([section, members]) => ({
      section,
      title: KNOWN[section]?.title ?? (section === '' ? 'Without a section' : section),
      color: KNOWN[section]?.color ?? 5,
      isKnown: section in KNOWN,
      metrics: members.sort((a, b) => rankOf(a) - rankOf(b) || byName(a, b)),
    }));
}
