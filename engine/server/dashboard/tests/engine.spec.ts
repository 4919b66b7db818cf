// Against the real engine. `check` names it; without one these are not run, and said to be skipped.

import { readFileSync } from 'node:fs';
import type { AlertPage, JobPage } from '../src/api/types';
import { beside } from './beside';
import { Engine, program, Watched } from './engine';
import { expect, test } from './page';

test.skip(program === '', 'STEADFAST names no engine');

const FILES: Record<string, string> = { '/': 'index.html', '/dashboard/app.js': 'dashboard/app.js', '/dashboard/style.css': 'dashboard/style.css' };

test.beforeEach(async ({ page }) => {
  // A program that was built before has an earlier page: with OWN_DIST it serves this one, under its own headers.
  if (!process.env.OWN_DIST) return;
  await page.route((url) => url.pathname in FILES, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: readFileSync(new URL(`../dist/${FILES[new URL(route.request().url()).pathname]}`, import.meta.url)) });
  });
});

test('the demo’s outage: the page shows what is known and since when, and nothing is invented', async ({ page, context }) => {
  test.setTimeout(150_000);
  const demo = new Engine(['demo', '--port', '0', '--no-stay']);
  try {
    const address = await demo.says(/dashboard: (http:\/\/\S+)/);
    await page.goto(address);
    const row = (name: string) => page.locator(`tr[data-id="local/default/${name}"]`);
    await expect(row('orders')).toContainText('RUNNING');
    await expect(row('images')).toContainText('ImagePull');
    // Trouble is first.
    await expect(page.locator('tbody tr[data-id]').first()).not.toHaveAttribute('data-id', 'local/default/orders');

    await expect(page.locator('[data-cluster="local"]')).toContainText('not readable', { timeout: 60_000 });
    await expect(page.locator('[data-outage="local"]')).toBeVisible();
    await expect(page.locator('.banner'), 'the engine itself is well').toHaveCount(0);
    await expect(row('orders')).toContainText('stale', { timeout: 30_000 });
    await expect(row('orders')).toContainText('RUNNING');
    await expect(row('orders').locator('td.confirmed')).toHaveText(/^\d+s ago$/);
    for (const name of ['payments', 'legacy']) await expect(row(name)).toContainText('stale');
    const picture = await context.newPage();
    await beside(page, picture, address);
    await expect(picture).toHaveScreenshot('outage.png', { maxDiffPixelRatio: 0.08, animations: 'disabled' });
    await picture.close();

    await row('orders').getByRole('link').click();
    await expect(page.getByText('It was so when it was last seen; no source has a fresh answer.').first()).toBeVisible();
    await expect(page.locator('tr[data-source="flink"]')).toContainText(/unknown, \d+ looks? in a row, last known .* ago/);
    await expect(page.locator('tr[data-shadow="naive"]')).toContainText('FAILED');
    await expect(page.locator('.plot g[data-state="RUNNING"][data-confidence="stale"]')).toHaveCount(1);
    await page.goBack();

    await expect(page.locator('[data-cluster="local"]')).toContainText('reachable for', { timeout: 60_000 });
    await expect(page.locator('[data-outage="local"]')).toHaveCount(0);
    await expect(row('orders').locator('.badge')).toHaveAttribute('data-confidence', 'confirmed');
    await expect(row('legacy')).not.toContainText('RUNNING', { timeout: 30_000 });
  } finally {
    await demo.kill();
  }
});

test('what many jobs share is silenced at another job than it is shown with, and its silence is ended there', async ({ page, request }) => {
  test.setTimeout(150_000);
  const demo = new Engine(['demo', '--port', '0', '--loop']);
  try {
    const address = await demo.says(/dashboard: (http:\/\/[^\s/]+)/);
    const alerts = async (): Promise<AlertPage['items']> => ((await (await request.get(`${address}/api/v1/alerts`)).json()) as AlertPage).items;
    const shared = async () => (await alerts()).find((row) => row.scope === 'cluster' && row.jobs > 1);
    await page.goto(`${address}/#/alerts`);
    await expect.poll(async () => (await shared())?.alert, { timeout: 90_000, intervals: [300] }).toBeTruthy();
    const row = await shared();
    const jobs = (await (await request.get(`${address}/api/v1/jobs?alert=${row?.alert}`)).json()) as JobPage;
    const other = jobs.items.find((job) => job.id !== row?.job)?.id ?? '';
    const path = `${address}/api/v1/jobs/${other}/silences/${row?.alert}`;
    expect((await request.put(path, { data: { until: new Date(Date.now() + 600_000).toISOString(), author: 'ann' } })).status()).toBe(200);
    await page.getByText(/^Silenced/).click();
    const shown = page.locator(`tr[data-alert="${row?.alert}"]`);
    await expect(shown).toContainText('by ann');
    await expect(shown).toContainText(other);
    const [ended] = await Promise.all([
      page.waitForRequest((one) => one.method() === 'DELETE'),
      (async () => {
        await shown.getByRole('button', { name: 'End silence' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'End silence' }).click();
      })(),
    ]);
    expect(ended.url()).toBe(path);
    await expect(shown).toHaveCount(0);
    // Who asked for what stands in the events, with the alert that it was about.
    await page.goto(`${address}/#/events?kind=call`);
    await expect(page.locator('tbody tr[data-kind="call"]').first()).toContainText(`silence of ${row?.alert} ended`);
    await expect(page.locator('tbody tr[data-kind="call"]').nth(1)).toContainText(`${row?.alert} silenced`);
  } finally {
    await demo.kill();
  }
});

test('the engine is killed and comes back: the page says so, resumes, and shows what happened meanwhile', async ({ page }) => {
  test.setTimeout(120_000);
  const watched = await new Watched().start(['orders', 'payments', 'clicks']);
  try {
    await page.goto(watched.address);
    const orders = page.locator('tr[data-id="-/-/orders"]');
    await expect(orders).toContainText('RUNNING');
    await expect(orders).toContainText('standalone');
    await watched.kill();
    await expect(page.locator('.banner')).toContainText(/As of \d\d:\d\d:\d\d, \d+s ago/);
    watched.flinks.states.set('orders', 'FAILED');
    await watched.again();
    await expect(page.locator('.banner')).toHaveCount(0, { timeout: 30_000 });
    await expect(orders).toContainText('FAILED', { timeout: 30_000 });
    await expect(page.locator('tbody tr[data-id]').first()).toHaveAttribute('data-id', '-/-/orders');
    await expect(page).toHaveTitle(/^\(1\)/);

    await orders.getByRole('link').click();
    await page.getByRole('button', { name: 'Silence' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click();
    await expect(page).toHaveTitle(/^orders/);
    await page.goto(`${watched.address}#/alerts?show=silenced`);
    await expect(page.locator('tr[data-alert]')).toHaveCount(1);
    await page.goBack();
    // An end that is intended is no alarm: it comes last.
    await page.getByRole('button', { name: 'Set intent' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Note the intent' }).click();
    await expect(page.getByText(/^cancel, noted/)).toBeVisible();
    await page.getByRole('button', { name: 'Look now' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Look now' }).click();
    await expect(page.getByText('Looked. This is what they say now.')).toBeVisible();

    await page.goto(`${watched.address}#/events`);
    await expect(page.locator('tbody tr[data-kind="transition"]').first()).toContainText('FAILED');
    await expect(page.locator('tbody tr[data-kind="call"]').filter({ hasText: 'JobFailed silenced' })).toHaveCount(1);
    await expect(page.locator('tbody tr[data-kind="call"]').filter({ hasText: 'cancel' })).toHaveCount(1);
    for (const [name, text] of [['policies', 'builtin:conservative'], ['engine', 'clients follow']] as const) {
      await page.goto(`${watched.address}#/${name}`);
      await expect(page.locator('main')).toContainText(name === 'engine' ? /clients? follow/ : text);
    }
  } finally {
    await watched.stop();
  }
});
