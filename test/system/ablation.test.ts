/** One ablation in a real browser: from the form to the downloaded checkpoint. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectApi, type HubProcess, makeDataDir, removeDataDir, startHubProcess } from '../support/hub-process.ts';
import { pythonWith, runPython } from '../support/python.ts';

const executablePath = process.env.MEALTABLE_CHROMIUM;
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const chooseOption = async (page: Page, scope: Locator, label: string, option: string) => {
  await scope.getByLabel(label, { exact: true }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
};

async function fillForm(page: Page) {
  const section = (name: string) => page.getByRole('region', { name, exact: true });
  await section('Study').getByLabel('Name', { exact: true }).fill('Browser study');
  await chooseOption(page, section('Data and student'), 'Student network', 'resnet18_w8');
  const training = section('Training');
  await training.getByLabel('Epochs', { exact: true }).fill('6');
  await training.getByLabel('Learning rate', { exact: true }).fill('0.05');

  const planned = section('Networks to train first');
  await planned.getByRole('button', { name: 'Add a network' }).click();
  await planned.getByLabel('Name', { exact: true }).fill('tiny-teacher');
  await chooseOption(page, planned, 'Network', 'resnet18_w8');
  await planned.getByLabel('Input size', { exact: true }).fill('16');
  await planned.getByLabel('Epochs', { exact: true }).fill('3');
  await planned.getByLabel('Learning rate', { exact: true }).fill('0.05');

  const variants = section('Variants');
  await variants.getByRole('button', { name: 'Add an ensemble' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add an ensemble' });
  await dialog.getByRole('checkbox', { name: /tiny-teacher/ }).click();
  await dialog.getByRole('button', { name: 'Use this teacher' }).click();
  await variants.getByRole('checkbox', { name: 'Off' }).click();
  await variants.getByLabel('Another input size').fill('16');
  await variants
    .getByRole('group', { name: /Input size/ })
    .getByRole('button', { name: 'Add', exact: true })
    .click();
  await variants.getByRole('button', { name: 'Remove 224 pixels' }).click();
  await section('Repeats and comparison').getByRole('button', { name: '1 seed', exact: true }).click();
}

describe.skipIf(!executablePath)('one ablation in the browser', () => {
  let hub: HubProcess;
  let browser: Browser;
  let page: Page;
  const dataDir = makeDataDir();
  const faults: string[] = [];

  beforeAll(async () => {
    hub = await startHubProcess(dataDir);
    browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
    page = await (await browser.newContext({ viewport: { width: 1440, height: 950 } })).newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  });
  afterAll(async () => {
    await browser?.close();
    await hub?.end('SIGTERM');
    removeDataDir(dataDir);
  });

  it('sends a stranger to the sign-in page and lets the owner in by the one-time link, once', async () => {
    await page.goto(hub.url);
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    await page.goto(hub.ownerLink);
    await page.goto(hub.url);
    await page.getByRole('heading', { name: 'Studies' }).waitFor();
    const stranger = await browser.newContext();
    const second = await stranger.newPage();
    await second.goto(hub.ownerLink);
    expect(new URL(second.url()).pathname).toBe('/sign-in');
    await stranger.close();
  });

  it('refuses an impossible design at its field and creates a possible one', async () => {
    await page.goto(`${hub.url}/hosts`);
    await page.getByText('digits').first().waitFor();
    await page.goto(`${hub.url}/studies/new`);
    await fillForm(page);
    const size = page
      .getByRole('region', { name: 'Networks to train first' })
      .getByLabel('Input size', { exact: true });
    await size.fill('8');
    await page.getByText('The input size must be at least 16 pixels.').first().waitFor();
    await size.fill('16');
    // One teacher, the student alone, and the student with the discriminator off and on.
    await page
      .getByRole('complementary', { name: 'Preview' })
      .getByRole('status')
      .filter({ hasText: '4 runs' })
      .waitFor();
    await page.getByRole('button', { name: 'Create study' }).click();
    await page.waitForURL(/\/studies\/stu_/);
    await page.getByRole('heading', { name: 'Browser study' }).waitFor();
  });

  it('moves a curve before the run ends', async () => {
    const studyUrl = page.url();
    await goToSection(page, 'Runs');
    const row = page.getByRole('row').filter({ hasText: 'Running' }).first();
    await row.waitFor({ timeout: 60_000 });
    await row.getByRole('link').first().click();
    await page.waitForURL(/\/runs\/run_/);
    const chart = page.getByTestId('chart-train/loss');
    await chart.waitFor({ timeout: 60_000 });
    const pointsOf = async () => Number(await chart.getAttribute('data-points'));
    await expect.poll(pointsOf, { timeout: 60_000 }).toBeGreaterThan(0);
    const first = await pointsOf();
    const status = page.getByRole('main').getByText('Running', { exact: true }).first();
    await expect.poll(pointsOf, { timeout: 60_000 }).toBeGreaterThan(first);
    expect(await status.isVisible()).toBe(true);
    await page.goto(studyUrl);
  });

  it('fills the table by itself and gives the best checkpoint, whole and readable', async () => {
    const api = connectApi(hub.url, { cookie: await cookieOf(page), origin: hub.url });
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    await goToSection(page, 'Top-1');
    const table = page.getByRole('table', { name: /top-1/i });
    // Without a reload: the page is told.
    await expect
      .poll(async () => (await api.studies.get.query({ id })).runs.every((r) => r.status === 'succeeded'), {
        timeout: 240_000,
        interval: 500,
      })
      .toBe(true);
    const { rows, runs } = await api.studies.get.query({ id });
    for (const row of rows) await table.getByText(row.mean!.toFixed(2), { exact: false }).first().waitFor();

    await openShareLink(id, rows[0]!.mean!.toFixed(2));
    await readPivot(rows.find((row) => row.isBest)!.mean!.toFixed(2));
    const student = runs.find((r) => r.role === 'student')!;
    await page.goto(`${hub.url}/runs/${student.id}?tab=checkpoints`);
    await page.getByRole('tab', { name: /Checkpoints/ }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page
        .getByRole('link', { name: /Download/ })
        .first()
        .click(),
    ]);
    const file = await download.path();
    const { checkpoints } = await api.runs.get.query({ id: student.id });
    const best = checkpoints.find((c) => c.isBest)!.files.find((f) => f.name === 'model.safetensors')!;
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(best.sha256);
    expect(path.extname(download.suggestedFilename())).toBe('.safetensors');

    const python = await pythonWith(['safetensors', 'numpy']);
    if (python !== null) {
      const read =
        'import sys, safetensors.numpy as s; t = s.load_file(sys.argv[1]); print(len(t), t["fc.weight"].shape, t["conv1.weight"].shape)';
      expect((await runPython(python, read, file)).trim()).toBe('128 (10, 64) (64, 3, 7, 7)');
    }

    const { token } = await api.tokens.create.mutate({ kind: 'program', label: 'curl', role: 'viewer' });
    const byToken = await fetch(`${hub.url}/api/runs/${student.id}/best/model.safetensors`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(
      createHash('sha256')
        .update(Buffer.from(await byToken.arrayBuffer()))
        .digest('hex'),
    ).toBe(best.sha256);
  });

  /** The table as a pivot, which is in the address and so there again after a reload, and as a file for a paper. */
  async function readPivot(bestTop1: string) {
    const pivot = page.getByRole('table', { name: /^Top-1 by/ }).filter({ hasNot: page.getByText('Best epoch') });
    await page.getByRole('radio', { name: 'Pivot' }).click();
    await pivot.getByText(bestTop1).first().waitFor();
    expect(new URL(page.url()).searchParams.get('t.view')).toBe('pivot');
    await page.reload();
    await goToSection(page, 'Top-1');
    await page.getByRole('button', { name: 'Swap axes' }).waitFor();
    await pivot.getByText(bestTop1).first().waitFor();
    await page.getByRole('region', { name: 'Top-1', exact: true }).getByRole('button', { name: 'Download' }).click();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'LaTeX with caption' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('browser-study-pivot.tex');
    expect(readFileSync(await file.path(), 'utf8')).toContain(`\\textbf{${bestTop1}}`);
  }

  /** Somebody without an account sees the study by a link, and nothing any more when that is revoked. */
  async function openShareLink(studyId: string, shownTop1: string) {
    const api = connectApi(hub.url, { cookie: await cookieOf(page), origin: hub.url });
    const { id, link } = await api.shares.create.mutate({ studyId, label: 'Reviewers' });
    const visitor = await browser.newContext({ viewport: { width: 1440, height: 950 } });
    const shared = await visitor.newPage();
    const [refused, referers]: [string[], string[]] = [[], []];
    shared.on('response', (reply) => reply.status() >= 400 && refused.push(`${reply.status()} ${reply.url()}`));
    shared.on('request', (request) => referers.push(request.headers().referer ?? ''));
    await shared.goto(link);
    await shared.getByRole('heading', { name: 'Browser study' }).waitFor();
    for (const name of ['Top-1', 'Curves', 'Effects', 'Runs', 'Activity']) await goToSection(shared, name);
    await goToSection(shared, 'Top-1');
    await shared.getByRole('table', { name: /top-1/i }).getByText(shownTop1).first().waitFor();
    await shared.getByRole('status').getByText('Live', { exact: true }).waitFor();
    expect(refused).toEqual([]);
    expect(referers.filter((referer) => referer !== '')).toEqual([]);
    expect(await shared.getByRole('link', { name: /sign in|studies/i }).count()).toBe(0);
    await api.shares.revoke.mutate({ id });
    await shared.getByText('This link shows nothing').waitFor();
    await visitor.close();
  }

  it('evaluates the checkpoint anew and finds the top-1 that its run recorded', async () => {
    await page
      .getByRole('link', { name: /^Evaluate the checkpoint/ })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Evaluate', exact: true }).click();
    const table = page.getByRole('table', { name: 'Evaluations' });
    const row = table.getByRole('row').nth(1);
    await row.getByText('Succeeded').last().waitFor({ timeout: 180_000 });
    await expect.poll(() => row.getByRole('cell').allTextContents()).toContain('0.00');
    const [, , size, , top1, expected, difference] = await row.getByRole('cell').allTextContents();
    expect([size, `${top1}in its run`, difference]).toEqual(['16 px', expected, '0.00']);
  });

  it('had no fault in the browser on the way', () => {
    expect(faults).toEqual([]);
  });
});

const goToSection = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Sections of this page' }).getByRole('link', { name, exact: true }).click();

const cookieOf = async (page: Page) => (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
