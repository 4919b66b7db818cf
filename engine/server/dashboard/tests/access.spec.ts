// For everybody: keyboard, screen readers, both themes, both languages, a phone.

import { AxeBuilder } from '@axe-core/playwright';
import { fleet, iso, job, story, unreadable } from './mock/world';
import { expect, rowIds, test } from './page';

const id = 'prod/payments/orders';
const alert = { alert: 'CheckpointsFailing', scope: 'job' as const, since: iso(Date.now() - 60_000), message: '12 in a row have failed' };

/** A slow machine is busy with one analysis for longer than an engine may be silent: what is dimmed then has no contrast. */
const STALE = /stale-page/;

for (const theme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`axe finds nothing on any page: ${theme}, ${width} pixels`, async ({ page, open }) => {
      test.setTimeout(180_000);
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      const mock = await open([job(id, { alerts: [alert], conditions: [{ type: 'RestartLoop', since: alert.since, message: 'again' }], labels: { team: 'a' } }), ...fleet(60)], '', (one) => {
        one.history = story(id, Date.now());
        one.clusters.items.push(unreadable('staging-2', 'Connection refused', 5000));
        one.ready = { ready: true, store: null, policies: [], clusters: [], sinks: [{ name: 'pager', failingSince: alert.since, deadLetters: 1 }] };
        one.policies = { items: [{ name: 'conservative', role: 'decides', rollout: '100%', module: 'builtin:conservative', sha256: 'a'.repeat(64), contract: '0.2.0', description: '', since: alert.since, standing: 'outdated', params: {} }], lastReload: null };
      });
      for (const hash of ['#/jobs', '#/jobs?severity=running&dense=1', `#/jobs/${id}?at=${iso(Date.now() - 55 * 60_000)}`, '#/alerts', '#/events', '#/policies', '#/engine']) {
        await page.goto(mock.address + hash);
        await expect(page.locator('main')).not.toContainText('Loading…');
        await expect(page.locator('body')).not.toHaveClass(STALE);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map((one) => `${hash}: ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
      }
      for (const button of ['Set intent', 'Silence', 'Forget']) {
        await page.goto(`${mock.address}#/jobs/${id}`);
        await page.getByRole('button', { name: button, exact: true }).click();
        await expect(page.locator('body')).not.toHaveClass(STALE);
        const { violations } = await new AxeBuilder({ page }).include('dialog').analyze();
        expect(violations.map((one) => `${button}: ${one.id}: ${one.nodes.map((node) => node.failureSummary ?? node.target.join(' ')).join(', ')}`)).toEqual([]);
        await page.keyboard.press('Escape');
      }
    });
  }
}

test('the keyboard goes through the rows, opens a job, and is at its row again afterwards', async ({ page, open }) => {
  await open(fleet(600));
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  const ids = await rowIds(page);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await expect(page.locator(`tr[data-id="${ids[1]}"] a`)).toBeFocused();
  await page.keyboard.press('x');
  await expect(page.getByRole('region', { name: '1 selected' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.locator(`tr[data-id="${ids[1]}"] a`)).toBeFocused();
  for (let at = 0; at < 60; at += 1) await page.keyboard.press('j');
  await expect(page.locator('tr[aria-rowindex="63"] a')).toBeFocused();
  await expect(page.locator('tr[aria-rowindex="63"]')).toBeInViewport();
});

test('/ searches, Escape leaves, ? helps, and typing is not taken for a command', async ({ page, open }) => {
  await open(fleet(20));
  await page.keyboard.press('/');
  const search = page.getByRole('searchbox', { name: 'Find a job by its id' });
  await expect(search).toBeFocused();
  await page.keyboard.type('jk?x');
  await expect(search).toHaveValue('jk?x');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(search).not.toBeFocused();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('the first thing the keyboard comes to leads past the head', async ({ page, open }) => {
  await open(fleet(20));
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#content')).toBeFocused();
});

test('theme, language and times are switched, kept, and follow the system until then', async ({ page, open }) => {
  const mock = await open([job(id)], `#/jobs/${id}`);
  const back = () => page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
  const light = await back();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByText('Dark', { exact: true }).click();
  expect(await back()).not.toBe(light);
  await page.getByText('UTC', { exact: true }).click();
  await expect(page.locator('dl time').first()).toHaveText(/UTC$/);
  await page.getByText('中文').click();
  await expect(page.getByRole('link', { name: '策略' }).first()).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
  await page.goto(`${mock.address}#/jobs`);
  await page.reload();
  await expect(page.getByRole('columnheader', { name: '状态' })).toBeVisible();
  expect(await back()).not.toBe(light);
});

test.describe('in a Chinese browser', () => {
  test.use({ locale: 'zh-CN' });
  test('the page is Chinese, and no text is left out', async ({ page, open }) => {
    const mock = await open([job(id, { alerts: [alert] }), ...fleet(30)], '', (one) => { one.history = story(id, Date.now()); });
    await expect(page.getByRole('columnheader', { name: '告警与状况' })).toBeVisible();
    for (const hash of ['#/jobs', `#/jobs/${id}`, '#/alerts', '#/events', '#/policies', '#/engine']) {
      await page.goto(mock.address + hash);
      await expect(page.locator('main')).not.toContainText('加载中');
      await expect(page.locator('body')).not.toContainText('undefined');
    }
  });
});
