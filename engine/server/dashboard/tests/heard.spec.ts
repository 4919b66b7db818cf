// Who answered: only what the engine itself says is heard and believed. A proxy in front of it says many things.

import { readFile } from 'node:fs/promises';
import { page as proxyPage } from './mock/server';
import { iso, job, story } from './mock/world';
import { expect, test } from './page';

const id = 'prod/payments/orders';
const ANSWERS = [
  ['502', proxyPage(502)],
  ['404', proxyPage(404, 'default backend - 404', 'text/plain')],
  ['404 in JSON', proxyPage(404, '{"message":"no Route matched"}', 'application/json')],
  ['200 with a page', proxyPage(200)],
  ['200 in JSON', proxyPage(200, '{"items":[],"next":null}', 'application/json')],
  ['204', { status: 204 }],
  ['401', proxyPage(401)],
] as const;

for (const [name, answer] of ANSWERS) {
  test(`a proxy that answers ${name} is not the engine: the page is as of when that was last heard`, async ({ page, open }) => {
    const mock = await open([job(id)]);
    await expect(page.locator('.link')).toHaveText('live');
    await page.evaluate(() => {
      const seen = window as unknown as { links: string[] };
      seen.links = [];
      const link = document.querySelector('.link');
      if (link) new MutationObserver(() => seen.links.push(link.getAttribute('data-link') ?? '')).observe(link, { attributes: true, subtree: true, characterData: true, childList: true });
    });
    mock.hide(answer);
    const age = page.locator('[data-stale-age]');
    await expect(age).toHaveText(/As of \d\d:\d\d:\d\d, [4-9]s ago/);
    const asOf = (await age.textContent())?.slice(0, 14);
    await page.getByRole('link', { name: 'Alerts' }).first().click();
    await page.getByRole('link', { name: 'Policies' }).click();
    await expect(age).toHaveText(/, ([6-9]|1\d)s ago/);
    expect((await age.textContent())?.slice(0, 14), 'what a proxy says is no sign of life').toBe(asOf);
    expect(await page.evaluate(() => (window as unknown as { links: string[] }).links)).not.toContain('live');
    await expect(page.getByLabel('Token')).toHaveCount(0);
    mock.proxy = null;
    await expect(page.locator('.banner')).toHaveCount(0, { timeout: 20_000 });
  });
}

test('a job is missing only where the engine says so', async ({ page, open }) => {
  const mock = await open([job(id)], `#/jobs/${id}`, (one) => { one.proxy = (path) => (path.startsWith('/api/v1/jobs/') || path.includes('history') ? proxyPage(404, 'default backend - 404', 'text/plain') : null); });
  await expect(page.getByText(/Could not be read: HTTP 404/).first()).toBeVisible();
  await expect(page.getByText('There is no such job on record')).toHaveCount(0);
  await expect(page.getByText('This engine does not tell it yet')).toHaveCount(0);
  await expect(page.getByText('Nothing has happened yet.')).toHaveCount(0);
  mock.proxy = null;
  await expect(page.locator('.head .badge')).toContainText('RUNNING');
});

test('a job of a cluster that cannot be read is not called missing', async ({ page, open }) => {
  const detail = 'there is no job prod/a/nobody on record, but prod cannot be read';
  const type = 'application/problem+json';
  await open([], '#/jobs/prod/a/nobody', (one) => { one.refuses = (path) => (path.startsWith('/api/v1/jobs/') ? { status: 404, type, body: { type: 'tag:steadfast.dev,2026:problem:job-not-known', code: 'job-not-known', title: 'Not Found', status: 404, detail } } : null); });
  await expect(page.getByText(detail)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'It is not known whether there is such a job' })).toBeVisible();
  await expect(page.getByText('There is no such job on record')).toHaveCount(0);
});

for (const status of [404, 502, 400]) {
  test(`"nothing" is said only of what was read: HTTP ${status} in front of events, alerts and policies`, async ({ page, open }) => {
    const mock = await open([job(id)], '#/events', (one) => { one.proxy = (path) => (/history|alerts|policies|shadows/.test(path) ? proxyPage(status) : null); });
    for (const name of ['events', 'alerts', 'alerts?show=resolved', 'policies']) {
      await page.goto(`${mock.address}#/${name}`);
      await expect(page.getByText(`Could not be read: HTTP ${status}`).first(), name).toBeVisible();
      for (const text of ['Nothing changed in that time', 'This engine does not tell it yet', 'Nothing was reloaded', 'No policy runs as a shadow', 'No alert']) {
        await expect(page.locator('main').getByText(text), `${name}: ${text}`).toHaveCount(0);
      }
    }
  });
}

test('what cannot be read anew is said to be so, beside what was read before', async ({ page, open }) => {
  await page.clock.install();
  const mock = await open([job(id)], `#/jobs/${id}`, (one) => { one.history = story(id, Date.now()); });
  await expect(page.locator('.plot g[data-state]')).toHaveCount(10);
  await expect(page.locator('tr[data-source="flink"]')).toBeVisible();
  mock.proxy = (path) => (/history|explain/.test(path) ? proxyPage(502) : null);
  mock.commit(job(id));
  await page.clock.runFor(1000);
  await expect(page.getByText('Could not be read: HTTP 502')).toHaveCount(2);
  await expect(page.locator('.plot g[data-state]')).toHaveCount(10);
  // The history is read every half a minute; what failed is tried sooner.
  mock.proxy = null;
  await page.clock.runFor(6000);
  await expect(page.getByText('Could not be read')).toHaveCount(0);
});

test('what the engine refuses is told, and is no empty answer', async ({ page, open }) => {
  const type = 'application/problem+json';
  await open([job(id)], '#/events?cluster=*', (one) => { one.refuses = (path) => (path.includes('history') ? { status: 400, type, body: { type: 'tag:x', code: 'bad-parameter', title: 'Bad Request', status: 400, detail: 'cluster: no such word' } } : null); });
  await expect(page.getByText('Could not be read: cluster: no such word')).toBeVisible();
  await expect(page.getByText('Nothing changed in that time')).toHaveCount(0);
});

test('a token that was rotated is entered once', async ({ page, open }) => {
  const mock = await open([job(id)], '', (one) => { one.token = 'first'; });
  await page.getByLabel('Token').fill('first');
  await page.getByRole('button', { name: 'Show the jobs' }).click();
  await expect(page.locator('.link')).toHaveText('live');
  // The stream that is open stays so.
  mock.token = 'second';
  await page.getByLabel('Token').fill('second');
  await page.getByRole('button', { name: 'Show the jobs' }).click();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(1);
  await expect.poll(() => mock.followers).toBe(1);
  mock.commit(job(id, { state: 'FAILED', reason: { code: 'Bad', message: 'it broke' } }), 'transition');
  await expect(page.locator('tbody tr[data-id]')).toContainText('it broke');
});

test('while the engine is gone, title and icon do not count alerts', async ({ page, open }) => {
  const alert = { alert: 'JobFailed', scope: 'job' as const, since: iso(Date.now()), message: 'it failed' };
  const mock = await open([job(id, { alerts: [alert] })]);
  await expect(page).toHaveTitle('(1) Steadfast');
  await mock.stop();
  await expect(page).toHaveTitle('(?) Steadfast');
  await expect(page.locator('nav .count')).toHaveAttribute('data-old', 'true');
  await expect(page.locator('link[rel="icon"]')).toHaveAttribute('href', './dashboard/icon.svg');
  await mock.start();
  await expect(page).toHaveTitle('(1) Steadfast', { timeout: 20_000 });
});

test('other jobs of a job are as certain as it is', async ({ page, open }) => {
  const otherJobs = [{ flinkJobId: 'a'.repeat(32), state: 'RUNNING' as const }];
  await open([job(id, { confidence: 'stale', otherJobs })], `#/jobs/${id}`);
  await expect(page.locator('dd .badge').filter({ hasText: 'RUNNING' })).toHaveAttribute('data-confidence', 'stale');
});

test('an entry that does not read has a row and a gap, and what is known of then is not made up', async ({ page, open }) => {
  const now = Date.now();
  await open([job(id, { state: 'FAILED', since: iso(now - 5 * 60_000) })], `#/jobs/${id}`, (one) => {
    one.history = story(id, now);
    one.unreadable = [{ sequence: 15, job: id, why: 'the row is damaged' }];
    one.droppedUntil = 3;
  });
  await expect(page.locator('.history')).toContainText('the row is damaged');
  await expect(page.locator('.plot g[data-gap]')).toHaveCount(1);
  await expect(page.getByText('Older entries were dropped')).toBeVisible();
  // Between the newest entry that reads and the state of the record.
  await page.goto(`${page.url()}?at=${iso(now - 5.5 * 60_000)}`);
  const then = page.locator('[data-known-then]');
  await expect(then).toContainText('does not read');
  await expect(then.locator('.badge')).toHaveCount(0);
  await page.goto(page.url().replace(/#.*/, '#/events'));
  const row = page.locator('tbody tr[data-kind="unreadable"]');
  await expect(row).toContainText('the row is damaged');
  await expect(page.locator('tbody tr[data-kind]').first()).toHaveAttribute('data-kind', 'unreadable');
  await expect(page.getByText('Older entries were dropped')).toBeVisible();
});

test('an entry that comes and does not read is a newer one, until it is shown', async ({ page, open }) => {
  const mock = await open([job(id)], '#/events', (one) => { one.history = story(id, Date.now()); });
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(12);
  await expect(page.locator('.link')).toHaveText('live');
  mock.sequence = 10_000;
  mock.damage(id, 'the row is damaged');
  await page.getByRole('button', { name: 'Show 1 newer entry' }).click();
  await expect(page.locator('tbody tr[data-kind="unreadable"]')).toContainText('the row is damaged');
  await expect(page.getByRole('button', { name: /newer/ })).toHaveCount(0);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export JSON' }).click()]);
  const rows = JSON.parse(await readFile(await download.path(), 'utf8')) as { kind: string; why?: string }[];
  expect(rows.filter((row) => row.kind === 'unreadable')).toMatchObject([{ why: 'the row is damaged' }]);
});

test('before what is kept, nothing is said to have been known or not', async ({ page, open }) => {
  const now = Date.now();
  await open([job(id)], `#/jobs/${id}?at=${iso(now - 90 * 60_000)}`, (one) => {
    one.history = [{ sequence: 4, at: iso(now - 100 * 60_000), job: id, kind: 'update', revision: 1, confidence: 'confirmed' }, ...story(id, now).filter((item) => item.sequence > 4).map((item) => ({ ...item, sequence: item.sequence + 10 }))];
    one.droppedUntil = 3;
  });
  await expect(page.locator('[data-known-then]')).toContainText('What was known then is older than what is kept or shown.');
});
