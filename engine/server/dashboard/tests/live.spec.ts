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
