// Names and messages come from outside: from labels, exceptions, logs, other people's Deployments.

import type { Job } from '../src/api/types';
import { iso, job } from './mock/world';
import { expect, test } from './page';

const IMAGE = '<img src=x onerror="document.title=\'owned\'">';
const TURNED = '\u202egnp.exe\u202c \u202b\u05e9\u05dc\u05d5\u05dd\u202c';
const LONG = 'x'.repeat(10_240);
const since = iso(Date.now() - 60_000);

const hostile = () => [IMAGE, TURNED, LONG].map((text, at) => {
  const id = `prod/${at === 2 ? 'ns' : text.replaceAll('/', '')}/${text.replaceAll('/', '')}`;
  return job(id, {
    state: 'FAILED', policy: text, reason: { code: 'Bad', message: text }, labels: { [text]: text }, links: [{ name: text, url: 'https://example.org/' }],
    // A word that only a later engine has.
    conditions: [{ type: text as Job['conditions'][0]['type'], since, message: text }], alerts: [{ alert: text, scope: 'job', since, message: text }],
    silences: [], intent: { intent: 'cancel', since, author: text },
  });
});

test('run nothing, turn nothing around, and break no page', async ({ page, open }) => {
  const jobs = hostile();
  const mock = await open(jobs, '', (one) => {
    one.clusters.items[0] = { ...(one.clusters.items[0] as (typeof one.clusters.items)[0]), name: IMAGE, state: 'retrying', fault: LONG, unknownSince: since };
    one.history = jobs.map((one, at) => ({ sequence: at + 1, at: since, job: one.id, kind: 'alert' as const, revision: 1, alert: { alert: one.reason.message, job: one.id, scope: 'job' as const, status: 'firing' as const, since, message: one.reason.message } }));
  });
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(3);
  const hashes = ['#/jobs', '#/alerts', '#/events', '#/engine', ...jobs.map((one) => `#/jobs/${one.id.split('/').map(encodeURIComponent).join('/')}`)];
  for (const hash of hashes) {
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(mock.address + hash);
      await expect(page.locator('main')).not.toContainText('Loading…');
      expect(await page.locator('img').count(), hash).toBe(0);
      expect(await page.title(), hash).not.toBe('owned');
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${hash} at ${width}`).toBeLessThanOrEqual(width);
    }
  }
  // A name that turns the direction of writing stands alone: what is beside it is where it was.
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${mock.address}#/jobs`);
  const row = page.locator('tbody tr[data-id]').filter({ hasText: 'gnp.exe' });
  await expect(row.locator('bdi').filter({ hasText: 'gnp.exe' }).first()).toBeVisible();
  const [name, state] = [await row.locator('a').first().boundingBox(), await row.locator('.badge').first().boundingBox()];
  expect((name?.x ?? 0)).toBeGreaterThan(state?.x ?? 1e9);
});

test('are found, filtered by and opened like any others', async ({ page, open }) => {
  await open(hostile());
  await page.locator('[data-facet="label"]').getByText('<img').first().click();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(1);
  await page.locator('tbody tr[data-id] a').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('<img src=x');
});
