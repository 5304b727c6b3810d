/** Sections of the charts tab: by the part of a metric's name before the slash. */
export interface MetricGroup {
  section: string;
  title: string;
  metrics: string[];
  color: number;
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
const FIRST = ['top1', 'top5', 'loss', 'similarity_loss', 'discriminator_loss', 'learning_rate', 'lr'];

const sectionOf = (metric: string) => metric.slice(0, metric.indexOf('/'));
const nameOf = (metric: string) => metric.slice(metric.indexOf('/') + 1);
const rankOf = (metric: string) => {
  const rank = FIRST.indexOf(nameOf(metric));
  return rank === -1 ? FIRST.length : rank;
};

/** @param filter only metrics whose name contains it, whatever the case */
export function groupMetrics(metrics: readonly string[], filter = ''): MetricGroup[] {
  const wanted = metrics.filter((metric) => metric.toLowerCase().includes(filter.trim().toLowerCase()));
  const sections = new Map<string, string[]>();
  for (const metric of wanted) sections.set(sectionOf(metric), [...(sections.get(sectionOf(metric)) ?? []), metric]);
  return [...sections]
    .sort(([a], [b]) => (KNOWN[a]?.rank ?? 9) - (KNOWN[b]?.rank ?? 9) || a.localeCompare(b))
    .map(([section, members]) => ({
      section,
      title: KNOWN[section]?.title ?? section,
      color: KNOWN[section]?.color ?? 5,
      metrics: members.sort((a, b) => rankOf(a) - rankOf(b) || a.localeCompare(b)),
    }));
}
