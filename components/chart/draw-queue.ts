/**
 * Charts are drawn one after the other, in a frame's spare time: a page of forty must answer a press of a key while points arrive.
 * Each is drawn again at the earliest a while after the last time, the longer the more it costs; in a tab in the background not at all.
 */
export interface DrawJob {
  draw: () => void;
  /** Set by the queue. */
  drawnAt?: number;
  costMs?: number;
}

const FRAME_MS = 10;
const LEAST_WAIT_MS = 90;
/** A chart takes at most one part in so many of the page's time. */
const WAIT_PER_COST = 8;

const waiting = new Set<DrawJob>();
let isAsked = false;

const dueAt = ({ drawnAt, costMs = 0 }: DrawJob) =>
  drawnAt === undefined ? 0 : drawnAt + Math.max(LEAST_WAIT_MS, WAIT_PER_COST * costMs);

function work(): void {
  isAsked = false;
  const begun = performance.now();
  for (const job of waiting) {
    const now = performance.now();
    if (dueAt(job) > now) continue;
    waiting.delete(job);
    job.draw();
    job.drawnAt = performance.now();
    // A single slow one, as while a page loads, is soon forgotten.
    job.costMs = 0.5 * (job.costMs ?? 0) + 0.5 * (job.drawnAt - now);
    if (job.drawnAt - begun > FRAME_MS) break;
  }
  if (waiting.size > 0) askForFrame();
}

function askForFrame(): void {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(work);
}

export function drawSoon(job: DrawJob): void {
  waiting.add(job);
  askForFrame();
}

export function forgetDrawing(job: DrawJob): void {
  waiting.delete(job);
}
