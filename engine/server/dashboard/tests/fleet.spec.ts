import { page as proxyPage } from './mock/server';
import { fleet, iso, job, unreadable } from './mock/world';
import { expect, queryOf, rowIds, test } from './page';

const now = Date.now();
const HOUR = 3_600_000;
const few = () => [
  job('prod/a/well', { labels: { team: 'growth' }, since: iso(now - 9 * HOUR) }),
  job('prod/a/failed', { state: 'FAILED', labels: { team: 'payments' }, alerts: [{ alert: 'JobFailed', scope: 'job', since: iso(now), message: 'it failed' }] }),
  job('staging/b/lost-sight', { confidence: 'stale', policy: 'strict' }),
  job('staging/b/degraded', { conditions: [{ type: 'RestartLoop', since: iso(now), message: 'again and again' }] }),
  job('-/-/alone', { state: 'FINISHED' }),
];

test('the worst is first, and a job outside of Kubernetes is called standalone', async ({ page, open }) => {
  await open(few());
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(5);
  expect(await rowIds(page)).toEqual(['prod/a/failed', 'staging/b/degraded', 'staging/b/lost-sight', 'prod/a/well', '-/-/alone']);
  await expect(page.locator('tr[data-id="-/-/alone"]')).toContainText('standalone');
  await expect(page.locator('tr[data-id="-/-/alone"]')).not.toContainText('-/-');
  await expect(page.locator('tr[data-id="staging/b/lost-sight"]')).toContainText('stale');
  await expect(page.locator('tr[data-id="prod/a/failed"]')).toContainText('JobFailed');
});

test('filters stand in the address, are asked of the engine, and are there after a reload', async ({ page, open }) => {
  const mock = await open(few());
  await page.getByRole('button', { name: /^Degraded/ }).click();
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/degraded']);
  await page.getByRole('button', { name: /^Failed|^Alerting/ }).first().click();
  await expect.poll(() => rowIds(page)).toEqual(['prod/a/failed', 'staging/b/degraded']);
  expect(queryOf(page).getAll('severity')).toEqual(['degraded', 'alerting']);
  await page.reload();
  await expect.poll(() => rowIds(page)).toEqual(['prod/a/failed', 'staging/b/degraded']);
  expect(mock.asked.some((one) => one.path.startsWith('/api/v1/jobs?severity=degraded&severity=alerting'))).toBe(true);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(5);
  expect(queryOf(page).size).toBe(0);
});

test('a facet counts what another value would add, and its values are chosen together', async ({ page, open }) => {
  await open(few());
  const clusters = page.locator('[data-facet="cluster"]');
  await clusters.getByLabel('staging').check();
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/degraded', 'staging/b/lost-sight']);
  await expect(clusters.locator('label', { hasText: 'prod' })).toContainText('2');
  await clusters.getByLabel('prod').check();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(4);
  await page.locator('[data-facet="label"]').getByLabel('team=payments').check();
  await expect.poll(() => rowIds(page)).toEqual(['prod/a/failed']);
  expect(queryOf(page).toString()).toBe('cluster=staging&cluster=prod&label=team%3Dpayments');
});

test('search, sort, columns and density stand in the address', async ({ page, open }) => {
  await open(few());
  await page.getByRole('searchbox', { name: 'Find a job by its id' }).fill('ST');
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/degraded', 'staging/b/lost-sight']);
  await page.getByRole('columnheader', { name: 'Job' }).getByRole('button').click();
  await page.getByRole('columnheader', { name: 'Job' }).getByRole('button').click();
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/lost-sight', 'staging/b/degraded']);
  await expect(page.getByRole('columnheader', { name: 'Job' })).toHaveAttribute('aria-sort', 'descending');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'Policy' }).check();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('columnheader', { name: 'Policy' })).toBeVisible();
  const before = await page.locator('tbody tr[data-id]').first().boundingBox();
  await page.getByRole('button', { name: 'Dense' }).click();
  await expect.poll(async () => (await page.locator('tbody tr[data-id]').first().boundingBox())?.height ?? 99).toBeLessThan((before?.height ?? 0) * 0.75);
  const query = queryOf(page);
  expect([query.get('search'), query.get('sort'), query.get('dense')]).toEqual(['ST', '-id', '1']);
  expect(query.get('columns')?.split(',')).toContain('policy');
  await page.reload();
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/lost-sight', 'staging/b/degraded']);
  await expect(page.getByRole('columnheader', { name: 'Policy' })).toBeVisible();
});

test('a view is saved under a name and opened again', async ({ page, open }) => {
  await open(few(), '#/jobs?severity=degraded');
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByPlaceholder('Name of the view').fill('Trouble <b>');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Everything' }).click();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(5);
  await page.reload();
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('button', { name: 'Trouble <b>', exact: true }).click();
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/degraded']);
});

test('what is done about selected jobs is done for each, and refusals are told', async ({ page, open }) => {
  const mock = await open(few());
  await page.getByRole('checkbox', { name: 'Select prod/a/well' }).check();
  await page.getByRole('checkbox', { name: 'Select -/-/alone' }).check();
  await page.getByRole('region', { name: '2 selected' }).getByRole('button', { name: 'Forget' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('A job that is seen alive is not forgotten');
  await dialog.getByRole('button', { name: 'Forget' }).click();
  await expect(dialog).toContainText('Done for 1 job.');
  await expect(dialog).toContainText('prod/a/well is seen alive; add force=true');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await expect(page.locator('tr[data-id="-/-/alone"]')).toHaveCount(0);
  expect(mock.asked.filter((one) => one.method === 'DELETE').map((one) => one.path).sort()).toEqual(['/api/v1/jobs/-/-/alone', '/api/v1/jobs/prod/a/well']);
});

test('all that match can be selected, also those that were not read', async ({ page, open }) => {
  await open(fleet(450));
  await page.getByRole('checkbox', { name: 'Select the rows that were read' }).check();
  await page.getByRole('button', { name: 'Select all 450 that match' }).click();
  await expect(page.getByRole('region', { name: '450 selected' })).toBeVisible();
});

test('a cluster that cannot be read is not an empty cluster', async ({ page, open }) => {
  await open([], '', (mock) => {
    mock.clusters = { items: [{ ...unreadable('prod', 'forbidden: cannot list deployments.apps', 61_000), neverRead: true }], standalone: null };
  });
  await expect(page.locator('[data-cluster="prod"]')).toContainText('not readable for 1m');
  await expect(page.locator('[data-outage="prod"]')).toContainText('forbidden: cannot list deployments.apps');
  await expect(page.getByText('No job is on record, but that does not mean that there is none: prod could not be read.')).toBeVisible();
});

test('a cluster tells how many of its jobs nobody confirms, and whether the fleet guard stands', async ({ page, open }) => {
  const since = iso(now - 12_000);
  await open([job('prod/a/one', { confidence: 'stale', conditions: [{ type: 'FleetDisrupted', since, message: 'most are dark' }] }), job('prod/a/two')]);
  const cluster = page.locator('[data-cluster="prod"]');
  await expect(cluster).toContainText('1 of 2 not confirmed');
  await expect(cluster).toContainText('fleet guard');
  await cluster.click();
  expect(queryOf(page).getAll('cluster')).toEqual(['prod']);
});

test('on a phone each job tells state and reason, and nothing is to be scrolled sideways', async ({ page, open }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(few());
  const row = page.locator('tr[data-id="prod/a/failed"]');
  for (const text of ['failed', 'FAILED', 'Flink reports', 'JobFailed']) await expect(row).toContainText(text);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.locator('[data-facet="cluster"]').getByLabel('staging').check();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(2);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test('"changed within" moves on by the minute, by the engine’s clock', async ({ page, open }) => {
  const engineNow = Date.parse('2026-11-28T03:30:30Z');
  const mock = await open([job('prod/a/old', { since: iso(engineNow - HOUR + 20_000) }), job('prod/a/new', { since: iso(engineNow - 60_000) })], '#/jobs?within=1h', (one) => { one.now = engineNow; });
  await expect.poll(() => rowIds(page)).toEqual(['prod/a/old', 'prod/a/new']);
  await expect(page.locator('[data-facet="cluster"]')).toHaveCount(0);
  mock.now = engineNow + 60_000;
  // Nothing was committed: it is time alone that the job has left with.
  await expect.poll(() => rowIds(page), { timeout: 15_000 }).toEqual(['prod/a/new']);
  expect(mock.asked.filter((one) => one.path.startsWith('/api/v1/jobs?')).at(-1)?.path).toContain('since=2026-11-28T02%3A31%3A00');
});

test('what was selected under other filters is not acted upon', async ({ page, open }) => {
  await open(few());
  await page.getByRole('checkbox', { name: 'Select prod/a/well' }).check();
  await page.getByRole('columnheader', { name: 'Job' }).getByRole('button').click();
  await expect(page.getByRole('region', { name: '1 selected' })).toBeVisible();
  await page.getByRole('button', { name: /^Degraded/ }).click();
  await expect.poll(() => rowIds(page)).toEqual(['staging/b/degraded']);
  await expect(page.getByRole('region', { name: '1 selected' })).toHaveCount(0);
});

test('why a job is as it is has more room than its flags', async ({ page, open }) => {
  const mock = await open(few());
  const width = async (name: string) => (await page.getByRole('columnheader', { name }).boundingBox())?.width ?? 0;
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  expect(await width('Why')).toBeGreaterThan(1.8 * (await width('Alerts and conditions')));
  // A long one has two lines, in a row as high as the others.
  const [long, short] = [page.locator('tr[data-id="prod/a/failed"]'), page.locator('tr[data-id="prod/a/well"]')];
  mock.commit({ ...(few()[1] as ReturnType<typeof job>), reason: { code: 'Bad', message: 'it failed for a reason that takes many words to tell, '.repeat(4) } });
  await expect(long).toContainText('many words');
  const height = async (row: typeof long, part = '') => (await (part === '' ? row : row.locator(part)).boundingBox())?.height;
  expect(await height(long)).toBe(await height(short));
  expect(await height(long, '.why .two')).toBe(34);
});

test('rows and counts of other filters are not shown where the present ones are not answered', async ({ page, open }) => {
  await page.clock.install();
  const mock = await open([job('prod/a/one'), job('staging/b/two', { state: 'FAILED' })]);
  const rows = page.locator('tbody tr[data-id]');
  await expect(rows).toHaveCount(2);
  await expect(page.locator('.link')).toHaveText('live');
  mock.proxy = (path) => (/jobs|summary/.test(path) ? proxyPage(502) : null);
  await page.locator('[data-facet="cluster"]').getByLabel('staging').check();
  await expect(page.getByText('Could not be read: HTTP 502')).toBeVisible();
  await expect(rows).toHaveCount(0);
  await expect(page.getByRole('button', { name: /^Failed/ })).toHaveCount(0);
  await expect(page.locator('[data-facet] .count')).toHaveCount(0);
  await expect(page.getByText('No job')).toHaveCount(0);
  mock.proxy = null;
  await page.clock.runFor(6000);
  await expect(rows).toHaveCount(1);
  await expect(page.getByText('Could not be read')).toHaveCount(0);
});

test('a selection ends where the store was replaced', async ({ page, open }) => {
  const mock = await open([job('prod/a/one'), job('prod/a/two')]);
  await page.getByLabel('Select prod/a/one').check();
  await expect(page.getByRole('region', { name: '1 selected' })).toBeVisible();
  await expect(page.locator('.link')).toHaveText('live');
  mock.replace([job('prod/a/two')], []);
  mock.reset();
  await expect(page.locator('tbody tr[data-id]')).toHaveCount(1);
  await expect(page.getByRole('region', { name: /selected/ })).toHaveCount(0);
});
