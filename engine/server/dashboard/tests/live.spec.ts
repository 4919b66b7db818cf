import type { BrowserContext, Locator, Page } from '@playwright/test';
import { iso, job } from './mock/world';
import { expect, rowIds, test } from './page';

const three = () => [job('prod/a/one'), job('prod/a/two'), job('prod/a/three')];

test('what is committed is shown at once, and goes where it belongs in the order', async ({ page, open }) => {
  const mock = await open(three());
  await expect.poll(() => rowIds(page)).toEqual(['prod/a/one', 'prod/a/three', 'prod/a/two']);
  mock.commit({ ...job('prod/a/two'), state: 'FAILED', since: iso(Date.now()), reason: { code: 'FlinkReports', message: 'Flink reports FAILED' } }, 'transition');
  await expect(page.locator('tr[data-id="prod/a/two"]')).toContainText('Flink reports FAILED');
  await expect.poll(() => rowIds(page)).toEqual(['prod/a/two', 'prod/a/one', 'prod/a/three']);
  mock.commit(job('prod/a/new'), 'transition');
  await expect(page.locator('tr[data-id="prod/a/new"]')).toBeVisible();
  mock.forget('prod/a/one');
  await expect(page.locator('tr[data-id="prod/a/one"]')).toHaveCount(0);
});

test('a page whose engine is gone says so, stands still, and comes back by itself', async ({ page, open }) => {
  const mock = await open(three());
  await expect(page.locator('.link')).toHaveText('live');
  mock.commit(job('prod/a/one', { reason: { code: 'Heard', message: 'heard of' } }));
  await expect(page.locator('tr[data-id="prod/a/one"]')).toContainText('heard of');
  await mock.stop();
  const banner = page.locator('.banner');
  await expect(banner).toContainText(/As of \d\d:\d\d:\d\d, \d+s ago/);
  await expect(page.locator('.link')).toHaveText('disconnected');
  await expect.poll(() => page.locator('main').evaluate((main) => getComputedStyle(main).opacity)).not.toBe('1');
  const age = page.locator('tr[data-id="prod/a/one"] td.confirmed');
  const before = await age.textContent();
  const passed = await banner.locator('[data-stale-age]').textContent();
  await expect(banner.locator('[data-stale-age]')).not.toHaveText(passed ?? '', { timeout: 5000 });
  expect(await age.textContent(), 'nobody looks, so no age goes on').toBe(before);
  mock.jobs.set('prod/a/one', job('prod/a/one', { state: 'RESTARTING' }));
  await mock.start();
  await expect(banner).toHaveCount(0, { timeout: 20_000 });
  await expect(page.locator('tr[data-id="prod/a/one"]')).toContainText('RESTARTING');
  await expect.poll(() => page.locator('main').evaluate((main) => getComputedStyle(main).opacity)).toBe('1');
  // It went on behind the last event it had.
  const streams = mock.asked.filter((one) => one.path.startsWith('/api/v1/events'));
  expect(streams.at(-1)?.path).toContain('job=true&after=1&store=mock');
});

test('a page that nothing happens to asks for little', async ({ page, open }) => {
  const mock = await open(three());
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(3);
  const from = mock.asked.length;
  const begin = Date.now();
  await expect.poll(() => mock.asked.slice(from).filter((one) => one.path.startsWith('/api/v1/jobs')).length, { timeout: 20_000 }).toBeGreaterThan(0);
  const seconds = (Date.now() - begin) / 1000;
  expect(mock.asked.length - from).toBeLessThan(6 + 3 * seconds);
});

test('the title and the icon tell how many alerts fire', async ({ page, open }) => {
  const mock = await open(three());
  await expect(page).toHaveTitle('Steadfast');
  const since = iso(Date.now());
  const alert = { alert: 'JobFailed', scope: 'job' as const, since, message: 'it failed' };
  mock.commit(job('prod/a/two', { alerts: [alert] }));
  mock.commit(job('prod/a/one', { alerts: [alert] }));
  await expect(page).toHaveTitle('(2) Steadfast');
  await expect(page.locator('link[rel="icon"]')).toHaveAttribute('href', './dashboard/icon.svg?alerts=2');
  mock.commit(job('prod/a/two'));
  await expect(page).toHaveTitle('(1) Steadfast');
});

test('a token is asked for, kept in the tab, and asked for again when it is wrong', async ({ page, open }) => {
  const mock = await open(three(), '', (one) => { one.token = 'right'; });
  await page.getByLabel('Token').fill('wrong');
  await page.getByRole('button', { name: 'Show the jobs' }).click();
  await expect(page.getByText('The engine does not know this token.')).toBeVisible();
  await page.getByLabel('Token').fill('right');
  await page.getByRole('button', { name: 'Show the jobs' }).click();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(3);
  mock.commit(job('prod/a/new'));
  await expect(page.locator('tr[data-id="prod/a/new"]')).toBeVisible();
  await page.reload();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(4);
});

/** Tabs of which the test says which one is seen: to Playwright all are. */
async function tab(context: BrowserContext, address: string, isHidden: boolean): Promise<Page> {
  const page = await context.newPage();
  await hide(page, isHidden);
  await page.goto(address);
  return page;
}
const hide = (page: Page, isHidden: boolean): Promise<unknown> =>
  page.addInitScript((hidden) => {
    const seen = window as unknown as { isHidden: boolean };
    seen.isHidden = hidden;
    Object.defineProperty(document, 'hidden', { get: () => seen.isHidden });
    Object.defineProperty(document, 'visibilityState', { get: () => (seen.isHidden ? 'hidden' : 'visible') });
  }, isHidden);
const turn = (page: Page, isHidden: boolean): Promise<void> =>
  page.evaluate((hidden) => {
    (window as unknown as { isHidden: boolean }).isHidden = hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);

test('eight tabs of one browser share its connections: only the one that is seen follows the events', async ({ page, open, context }) => {
  test.setTimeout(120_000);
  const mock = await open(three());
  await page.close();
  const tabs: Page[] = [];
  for (let at = 0; at < 8; at += 1) {
    if (tabs.at(-1)) await turn(tabs.at(-1) as Page, true);
    tabs.push(await tab(context, mock.address, false));
    await expect(tabs.at(-1)?.locator('tbody tr[data-id]') as Locator, `tab ${at + 1}`).toHaveCount(3);
    await expect(tabs.at(-1)?.locator('.link') as Locator, `tab ${at + 1}`).toHaveText('live');
  }
  await expect.poll(() => mock.followers).toBe(1);
  const [first, last] = [tabs[0] as Page, tabs[7] as Page];
  mock.commit(job('prod/a/two', { state: 'FAILED', reason: { code: 'Bad', message: 'it broke' } }), 'transition');
  await expect(last.locator('tr[data-id="prod/a/two"]')).toContainText('it broke');
  // Whoever comes back to a tab sees what happened meanwhile, behind the last event that it had.
  await expect(first.locator('tr[data-id="prod/a/two"]')).not.toContainText('it broke');
  await turn(last, true);
  await turn(first, false);
  await expect(first.locator('tr[data-id="prod/a/two"]')).toContainText('it broke');
  await expect(first.locator('.link')).toHaveText('live');
  await expect.poll(() => mock.followers).toBe(1);
});

test('a tab that is opened in the background follows nothing until it is seen', async ({ page, open, context }) => {
  const mock = await open(three());
  await page.close();
  await expect.poll(() => mock.followers).toBe(0);
  const hidden = await tab(context, mock.address, true);
  await expect(hidden.locator('tbody tr[data-id]')).toHaveCount(3);
  expect(mock.asked.filter((one) => one.path.startsWith('/api/v1/events')).length).toBe(1);
  await turn(hidden, false);
  await expect.poll(() => mock.followers).toBe(1);
});

test('a hidden tab whose engine is gone counts no alerts in its title', async ({ page, open, context }) => {
  const since = iso(Date.now());
  const mock = await open([job('prod/a/one', { alerts: [{ alert: 'JobFailed', scope: 'job', since, message: 'it failed' }] })]);
  await page.close();
  const hidden = await context.newPage();
  await hidden.clock.install();
  await hide(hidden, false);
  await hidden.goto(mock.address);
  await expect(hidden).toHaveTitle('(1) Steadfast');
  await turn(hidden, true);
  await mock.stop();
  await hidden.clock.fastForward(31_000);
  await expect(hidden).toHaveTitle('(?) Steadfast');
  await expect(hidden.locator('link[rel="icon"]')).toHaveAttribute('href', './dashboard/icon.svg');
  await mock.start();
  await hidden.clock.fastForward(31_000);
  await expect(hidden).toHaveTitle('(1) Steadfast');
});

test('a hidden tab whose engine was gone before it was hidden counts alerts again once it is back', async ({ page, open, context }) => {
  const since = iso(Date.now());
  const mock = await open([job('prod/a/one', { alerts: [{ alert: 'JobFailed', scope: 'job', since, message: 'it failed' }] })]);
  await page.close();
  const hidden = await context.newPage();
  await hidden.clock.install();
  await hide(hidden, false);
  await hidden.goto(mock.address);
  await expect(hidden).toHaveTitle('(1) Steadfast');
  await mock.stop();
  await expect(hidden).toHaveTitle('(?) Steadfast');
  await hidden.clock.fastForward(25_000);
  await expect(hidden.locator('.banner')).toBeVisible();
  await turn(hidden, true);
  await expect(hidden).toHaveTitle('(?) Steadfast');
  await mock.start();
  await hidden.clock.fastForward(31_000);
  await expect(hidden).toHaveTitle('(1) Steadfast');
  await expect(hidden.locator('link[rel="icon"]')).toHaveAttribute('href', './dashboard/icon.svg?alerts=1');
  await turn(hidden, false);
  await expect(hidden.locator('.link')).toHaveText('live');
  await expect(hidden).toHaveTitle('(1) Steadfast');
});

test('a page of which nothing is answered but the stream is not live', async ({ page, open }) => {
  await page.clock.install();
  const mock = await open(three());
  await expect(page.locator('.link')).toHaveText('live');
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(3);
  // As where the streams of six windows leave no connection to ask with.
  await page.route(/api\/v1\/(?!events)/, () => {});
  await page.clock.fastForward(15_000);
  await expect(page.locator('.banner')).toHaveCount(0);
  await page.clock.fastForward(15_000);
  mock.commit(job('prod/a/one', { reason: { code: 'Heard', message: 'heard of' } }));
  await expect(page.locator('tr[data-id="prod/a/one"]'), 'the stream is open').toContainText('heard of');
  await expect(page.locator('.banner')).toContainText('The event stream is open, but nothing else that is asked is answered');
  await expect(page.locator('.link')).toHaveText('disconnected');
  await page.unrouteAll();
  for (let at = 0; at < 5; at += 1) await page.clock.fastForward(10_000);
  await expect(page.locator('.banner')).toHaveCount(0);
  await expect(page.locator('.link')).toHaveText('live');
});

test('a tab that was hidden says as of when it is until it is read anew', async ({ page, open, context }) => {
  const mock = await open(three());
  await page.close();
  const seen = await tab(context, mock.address, false);
  await expect(seen.locator('.link')).toHaveText('live');
  await seen.clock.install();
  await turn(seen, true);
  await seen.clock.fastForward(3_600_000);
  // The engine takes a while to answer: until then the page is an hour old, and says why.
  let answer = (): void => {};
  const waits = new Promise<void>((resolve) => { answer = resolve; });
  await seen.route('**/api/v1/events**', async (route) => {
    await waits;
    await route.continue();
  });
  await turn(seen, false);
  await expect(seen.locator('.banner')).toContainText('1h ago');
  await expect(seen.locator('.banner')).toContainText('This tab was hidden, so nothing below is newer.');
  answer();
  await expect(seen.locator('.banner')).toHaveCount(0);
});
