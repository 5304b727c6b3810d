/** How long a reader waits in Chromium: from the click, or the last letter of a filter, to the frame that shows the new rows. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { summarise, type Times } from './measure-server.ts';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
/** An answer that does not come in this time is no answer. */
const LIMIT_MS = 20_000;

export interface Paint {
  /** From the opened address to the first rows, the whole page included. */
  openMs: number;
  sort: Times;
  group: Times;
  filter: Times;
  /** Frames while ten thousand rows were scrolled through, and the longest task of the page meanwhile. */
  scroll: Times & { longestTaskMs: number };
}

/** @param cookie of a session */
export async function measurePaint(url: string, cookie: string, studyId: string): Promise<Paint> {
  const browser: Browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addCookies(
      cookie
        .split('; ')
        .map((pair) => ({ name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1), url })),
    );
    const page = await context.newPage();
    // The compiler of this program names its functions by one that pages do not have.
    await page.addInitScript('globalThis.__name = (named) => named');
    page.setDefaultTimeout(120_000);
    const open = async (query: string) => {
      const begun = performance.now();
      await page.goto(`${url}/studies/${studyId}${query}#runs`);
      await page.locator('[role=treegrid] [data-run]').first().waitFor();
      return performance.now() - begun;
    };
    const openMs = Number((await open('')).toFixed(0));
    await page.evaluate(installTimer);
    const sort: number[] = [];
    for (let round = 0; round < 6; round++)
      for (const column of ['seed', 'top1', 'host', 'duration'])
        sort.push(await timed(page, { click: `[data-column="${column}"]` }));
    const filter: number[] = [];
    for (const text of [
      'status = running',
      'top1 > 70',
      'host ~ gpu',
      'teachers has t152',
      'seed in (1, 2)',
      'status = failed',
      'val/loss.min < 20',
      'temperature = 4',
    ])
      filter.push(await timed(page, { type: text }));
    const group: number[] = [];
    for (const field of ['teachers', 'host', 'temperature', 'status']) {
      await open(`?runs.sort=-val%2Ftop1`);
      await page.evaluate(installTimer);
      await page.getByRole('button', { name: 'Group by' }).click();
      await page.getByLabel('Search fields').fill(field);
      await page.locator('[data-offer]').first().waitFor();
      group.push(await timed(page, { click: `[data-offer="${field}"]` }));
    }
    await open('');
    return {
      openMs,
      sort: summarise(sort),
      group: summarise(group),
      filter: summarise(filter),
      scroll: await measureScroll(page),
    };
  } finally {
    await browser.close();
  }
}

/** Runs in the page. */
function installTimer() {
  const target = window as unknown as { waitForRows: (act: () => void, limitMs: number) => Promise<number> };
  const grid = () => document.querySelector('[role=treegrid]')!;
  const rows = () =>
    [...grid().querySelectorAll('[role=rowgroup] [role=row]')]
      .slice(0, 12)
      .map((row) => row.textContent)
      .join();
  target.waitForRows = (act, limitMs) =>
    new Promise((resolve, reject) => {
      const before = rows();
      const begun = performance.now();
      act();
      const look = () => {
        if (performance.now() - begun > limitMs) return reject(new Error('The rows did not change.'));
        if (grid().getAttribute('aria-busy') !== null || rows() === before) return requestAnimationFrame(look);
        // The frame that is about to be painted, and the task after it.
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
      };
      requestAnimationFrame(look);
    });
}

async function timed(page: Page, action: { click: string } | { type: string }): Promise<number> {
  return page.evaluate(
    ({ action: of, limitMs }) => {
      const target = window as unknown as { waitForRows: (act: () => void, limitMs: number) => Promise<number> };
      const act = () => {
        if ('click' in of) return document.querySelector<HTMLElement>(of.click)!.click();
        const input = document.querySelector<HTMLInputElement>('input[role=combobox][aria-label="Filter runs"]')!;
        // As React hears of what is typed.
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(input, of.type);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      };
      return target.waitForRows(act, limitMs);
    },
    { action, limitMs: LIMIT_MS },
  );
}

async function measureScroll(page: Page): Promise<Paint['scroll']> {
  const { frames, longest } = await page.evaluate(async () => {
    const grid = document.querySelector('[role=treegrid]')!;
    let longestTask = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) longestTask = Math.max(longestTask, entry.duration);
    });
    observer.observe({ entryTypes: ['longtask'] });
    const times: number[] = [];
    let last = performance.now();
    for (let step = 0; step < 120; step++) {
      grid.scrollTop += 1_400;
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    observer.disconnect();
    return { frames: times, longest: longestTask };
  });
  return { ...summarise(frames), longestTaskMs: Number(longest.toFixed(0)) };
}
