/** What is measured inside of the page: when each chart had how many points on the screen, and how long the page did not answer. */
import type { Page } from 'playwright-core';

export interface Drawn {
  chart: string;
  /** Points that the chart shows. */
  points: number;
  /** Milliseconds since 1970, in the frame after the drawing: what was drawn is on the screen by then. */
  at: number;
}
export interface LongTask {
  at: number;
  ms: number;
}

/** Call before the page is opened. */
export async function installProbe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const probe = { drawn: [] as Drawn[], longTasks: [] as LongTask[], firstRequestAt: 0 };
    Object.assign(window, { probe });
    // No named functions here: esbuild would have them call a helper that the page does not know.
    const { timeOrigin } = performance;
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries())
        probe.longTasks.push({ at: timeOrigin + startTime, ms: duration });
    }).observe({ type: 'longtask', buffered: true });
    new PerformanceObserver((list) => {
      for (const { name, startTime } of list.getEntries())
        if (probe.firstRequestAt === 0 && name.endsWith('/api/charts/series'))
          probe.firstRequestAt = timeOrigin + startTime;
    }).observe({ type: 'resource', buffered: true });
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const { testid = '', points = '0' } = (target as HTMLElement).dataset;
        requestAnimationFrame((time) =>
          probe.drawn.push({ chart: testid, points: Number(points), at: timeOrigin + time }),
        );
      }
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-points'] });
  });
}

/** All that was seen since the last call. */
export function takeProbe(page: Page): Promise<{ drawn: Drawn[]; longTasks: LongTask[]; firstRequestAt: number }> {
  return page.evaluate(() => {
    const { probe } = window as unknown as { probe: { drawn: Drawn[]; longTasks: LongTask[]; firstRequestAt: number } };
    const taken = { ...probe, drawn: probe.drawn.splice(0), longTasks: probe.longTasks.splice(0) };
    return taken;
  });
}
