import { readFile } from 'node:fs/promises';
import type { ShadowPage } from '../src/api/types';
import { iso, job, story, unreadable } from './mock/world';
import { expect, queryOf, test } from './page';

const now = Date.now();
const MINUTE = 60_000;
const id = 'prod/payments/orders';

test('events are filtered by time, cluster and kind in the address, which is what the engine is asked', async ({ page, open }) => {
  const mock = await open([job(id), job('staging/b/other')], '#/events', (one) => {
    one.history = [...story(id, now), ...story('staging/b/other', now, 50)];
  });
  const rows = page.locator('tbody tr[data-kind]');
  // Updates say little: without being asked for they are not shown.
  await expect(rows).toHaveCount(24);
  await page.getByLabel('Cluster').selectOption('staging');
  await expect(rows).toHaveCount(12);
  await page.getByRole('checkbox', { name: 'State' }).uncheck();
  await expect(rows).toHaveCount(4);
  await page.getByRole('button', { name: 'Last hour' }).click();
  await expect(rows).toHaveCount(4);
  expect(queryOf(page).toString()).toBe('cluster=staging&kind=alert%2Ccall%2Cforgotten&within=1h');
  await page.reload();
  await expect(rows).toHaveCount(4);
  expect(mock.asked.at(-1)?.path).not.toContain('within');
  expect(mock.asked.filter((one) => one.path.startsWith('/api/v1/history')).at(-1)?.path).toContain('since=');
  await page.getByLabel('Order').selectOption('oldest');
  await expect(rows.first()).toContainText('RestartLoop fires');
});

test('events go on page by page, and say that there are newer ones without moving', async ({ page, open }) => {
  const mock = await open([job(id)], '#/events', (one) => {
    for (let at = 0; at < 40; at += 1) one.history.push(...story(id, now, at * 20 + 1));
  });
  const rows = page.locator('tbody tr[data-kind]');
  await expect(rows).toHaveCount(200);
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(rows).toHaveCount(400);
  mock.sequence = 10_000;
  mock.commit(job(id, { state: 'FAILED' }), 'transition');
  await page.getByRole('button', { name: 'Show 1 newer entry' }).click();
  await expect(rows.first()).toContainText('FAILED');
});

test('events are exported whole, as a table and as JSON', async ({ page, open }) => {
  await open([job(id)], '#/events', (one) => {
    for (let at = 0; at < 500; at += 1) one.history.push(...story(id, now, at * 20 + 1));
  });
  for (const [name, count] of [['Export CSV', (text: string) => text.trim().split('\n').length - 1], ['Export JSON', (text: string) => (JSON.parse(text) as unknown[]).length]] as const) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
    expect(count(await readFile(await download.path(), 'utf8')), name).toBe(500 * 12);
  }
});

test('alerts are firing, silenced with who and until, or resolved', async ({ page, open }) => {
  const alert = { alert: 'JobFailed', scope: 'job' as const, since: iso(now - 5 * MINUTE), message: 'it failed' };
  const dark = { alert: 'ClusterDark', scope: 'cluster' as const, since: iso(now - MINUTE), message: 'nothing answers' };
  const until = iso(now + 60 * MINUTE);
  const mock = await open(
    [job(id, { alerts: [alert, dark] }), job('prod/b/two', { alerts: [dark] }), job('prod/b/three', { alerts: [{ ...alert, silencedUntil: until }], silences: [{ alert: 'JobFailed', until, by: 'ann', since: iso(now) }] })],
    '#/alerts', (one) => { one.history = story(id, now); },
  );
  await expect(page.locator('tr[data-alert]')).toHaveCount(2);
  await expect(page.locator('tr[data-alert="ClusterDark"]')).toContainText('2 jobs');
  await page.locator('tr[data-alert="JobFailed"]').getByRole('button', { name: 'Silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click();
  await expect(page.locator('tr[data-alert]')).toHaveCount(1);
  expect(mock.asked.find((one) => one.method === 'PUT')?.path).toBe(`/api/v1/jobs/${id}/silences/JobFailed`);
  await page.getByText('Silenced 2').click();
  await expect(page.locator('tr[data-alert]').filter({ hasText: 'by ann' })).toHaveCount(1);
  expect(queryOf(page).get('show')).toBe('silenced');
  await page.getByText('Resolved', { exact: true }).click();
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await expect(page.locator('tbody tr')).toContainText('14m');
});

test('policies tell module, digest, standing, latency and what shadows would show', async ({ page, open }) => {
  const shown = { state: 'RUNNING' as const, attempt: 1, confidence: 'stale' as const, reason: { code: 'FlinkSilent', message: 'Flink gives no answer' } };
  await open([job(id)], '#/policies', (one) => {
    one.policies = {
      items: [
        { name: 'conservative', role: 'decides', rollout: '100%', module: 'builtin:conservative', sha256: 'a'.repeat(64), contract: '0.2.0', description: 'Unknown is never absent.', since: iso(now), standing: 'as-configured' },
        { name: 'naive', role: 'shadow', rollout: '100%', module: 'oci://registry.example/naive', sha256: 'b'.repeat(64), contract: '0.2.0', description: 'For comparison.', since: iso(now), standing: 'outdated', note: 'HTTP 404' },
      ],
      lastReload: { at: iso(now), result: 'refused', message: 'line 12: unknown key' },
    };
    one.shadows = { policies: [{ policy: 'naive', jobs: 1, differing: 1, judged: 200, differed: 31, failures: 2 }], items: [{ policy: 'naive', job: id, differs: true, decided: { ...shown, policy: 'conservative' }, shadow: { ...shown, state: 'FAILED', rule: 'gone' }, since: iso(now), judged: 200, differed: 31, failure: null }], cursor: null } satisfies ShadowPage;
    one.metrics = 'steadfast_policy_decision_duration_seconds_sum{policy="conservative"} 1.2\nsteadfast_policy_decision_duration_seconds_count{policy="conservative"} 4000\n';
  });
  await expect(page.locator('[data-policy="conservative"]')).toContainText('0.30 ms');
  await expect(page.locator('[data-policy="naive"]')).toContainText('HTTP 404');
  await expect(page.locator('[data-policy="naive"]')).toContainText('differed in 31 of 200 decisions (15.5%), 2 failures');
  await expect(page.getByRole('table')).toContainText('FAILED');
  await expect(page.getByText('line 12: unknown key')).toBeVisible();
});

test('the engine tells of its loop, store, sinks, followers and what it reads', async ({ page, open }) => {
  await open([job(id)], '#/engine', (one) => {
    one.ready = { ready: false, store: 'database is locked', policies: [], clusters: [], sinks: [{ name: 'pager', failingSince: iso(now - MINUTE), deadLetters: 3, lastDeadLetter: { sequence: 4, at: iso(now), why: 'HTTP 413' } }] };
    one.store = { store: '0123456789abcdef', newest: 41, droppedUntil: 7, quarantined: [{ job: 'prod/a/b', at: iso(now), why: 'does not read' }], unwritten: [] };
    one.metrics = 'process_resident_memory_bytes 34603008\nsteadfast_event_subscribers 3\n';
    one.clusters.items[0] = unreadable('prod', 'Connection refused', 5000);
  });
  for (const text of ['Not ready', 'database is locked', 'its receiver has taken nothing for 1m', '3 given up', 'HTTP 413', '0123456789abcdef', 'prod/a/b', '33.0 MiB', '3 clients follow', 'Connection refused']) {
    await expect(page.locator('main')).toContainText(text);
  }
});

test('a page that an earlier engine has nothing for says so quietly', async ({ page, open }) => {
  const mock = await open([job(id)], '#/events', (one) => { one.missing = [/history|alerts|store/]; });
  await expect(page.getByText('This engine does not tell it yet')).toBeVisible();
  for (const name of ['alerts', 'engine']) {
    await page.goto(`${mock.address}#/${name}`);
    await expect(page.getByText('This engine does not tell it yet').first()).toBeVisible();
  }
  await page.goto(`${mock.address}#/nothing`);
  await expect(page.getByText('There is no such page.')).toBeVisible();
});
