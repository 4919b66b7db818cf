import { readFile } from 'node:fs/promises';
import type { ShadowPage } from '../src/api/types';
import { iso, job, story, unreadable } from './mock/world';
import { page as proxyPage } from './mock/server';
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

test('of newer entries those are counted that the list would show', async ({ page, open }) => {
  const mock = await open([job(id), job('staging/b/other')], '#/events?cluster=prod', (one) => { one.history = story(id, now); });
  const newer = page.getByRole('button', { name: /newer/ });
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(12);
  await expect(page.locator('.link')).toHaveText('live');
  mock.sequence = 10_000;
  // An update, and another cluster: the list shows neither.
  mock.commit(job(id, { attempt: 2 }));
  mock.commit(job('staging/b/other', { state: 'FAILED' }), 'transition');
  mock.commit(job(id, { state: 'FAILED' }), 'transition');
  mock.commit(job(id, { attempt: 3 }), 'update', { what: 'silence', alert: 'JobFailed', says: 'ann' });
  await expect(newer).toHaveText('Show 2 newer entries');
  await newer.click();
  await expect(newer).toHaveCount(0);
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(14);
  await expect(page.locator('tbody tr[data-kind="call"]').first()).toContainText('JobFailed silenced');
});

test('what comes while newer entries are read is not forgotten', async ({ page, open }) => {
  const mock = await open([job(id)], '#/events', (one) => { one.history = story(id, now); });
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(12);
  await expect(page.locator('.link')).toHaveText('live');
  mock.sequence = 10_000;
  mock.commit(job(id, { state: 'FAILED' }), 'transition');
  // What is answered is as it was before the next entry, which is told while the answer is on its way.
  await page.route('**/api/v1/history**', async (route) => {
    const response = await route.fetch();
    mock.commit(job(id, { state: 'RUNNING' }), 'transition');
    await page.waitForTimeout(300);
    await route.fulfill({ response });
  }, { times: 1 });
  await page.getByRole('button', { name: 'Show 1 newer entry' }).click();
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(13);
  await expect(page.getByRole('button', { name: 'Show 1 newer entry' })).toBeVisible();
});

test('entries tell which alert was silenced, and which nobody was told of', async ({ page, open }) => {
  const at = iso(now - MINUTE);
  const entry = { at, job: id, revision: 1 };
  const alert = { alert: 'JobFailed', job: id, status: 'firing' as const, since: at, message: 'it failed' };
  await open([job(id)], '#/events', (one) => {
    one.history = [
      { ...entry, sequence: 1, kind: 'call', call: { sequence: 1, at, what: 'silence', alert: 'JobFailed', until: iso(now + 60 * MINUTE), through: 'token', by: 'ann' } },
      { ...entry, sequence: 2, kind: 'alert', alert: { ...alert, scope: 'job', silenced: true } },
      { ...entry, sequence: 3, kind: 'alert', alert: { ...alert, alert: 'KubernetesUnreachable', scope: 'cluster' } },
    ];
  });
  const rows = page.locator('tbody tr[data-kind]');
  await expect(rows.nth(2)).toContainText('JobFailed silenced until');
  await expect(rows.nth(1)).toContainText('JobFailed fires silenced');
  await expect(rows.nth(0)).toContainText('KubernetesUnreachable fires of the whole cluster');
  await expect(rows.nth(0)).not.toContainText('silenced');
});

test('rows of another question are not shown where the present one is not answered, and it is asked again', async ({ page, open }) => {
  await page.clock.install();
  const mock = await open([job(id), job('staging/b/other')], '#/events', (one) => { one.history = [...story(id, now), ...story('staging/b/other', now, 50)]; });
  const rows = page.locator('tbody tr[data-kind]');
  const error = page.getByText('Could not be read: HTTP 502');
  await expect(rows).toHaveCount(24);
  await expect(page.locator('.link')).toHaveText('live');
  const change: [() => Promise<unknown>, number][] = [
    [async () => { await page.getByLabel('Job (exact id)').fill(id); await page.keyboard.press('Enter'); }, 12],
    [() => page.getByRole('checkbox', { name: 'State' }).uncheck(), 4],
    [() => page.getByLabel('Order').selectOption('oldest'), 4],
  ];
  for (const [act, count] of change) {
    mock.proxy = (path) => (path.includes('history') ? proxyPage(502) : null);
    await act();
    await expect(error).toBeVisible();
    await expect(rows).toHaveCount(0);
    await expect(page.getByText('That is all.')).toHaveCount(0);
    await expect(page.getByText('Nothing changed in that time.')).toHaveCount(0);
    mock.proxy = null;
    await page.clock.runFor(6000);
    await expect(rows).toHaveCount(count);
    await expect(error).toHaveCount(0);
  }
});

test('after the store was replaced nothing of the one before is shown', async ({ page, open }) => {
  const mock = await open([job(id)], '#/events', (one) => { one.history = story(id, now); });
  const rows = page.locator('tbody tr[data-kind]');
  await expect(rows).toHaveCount(12);
  await expect(page.locator('.link')).toHaveText('live');
  // The stream goes on: it says so.
  mock.replace([job('prod/a/restored')], story('prod/a/restored', now).slice(0, 3));
  mock.reset();
  await expect(rows).toHaveCount(3);
  // Of a page that never had an event the stream knows nothing: the answers name another store.
  mock.replace([job('prod/a/new')], story('prod/a/new', now).slice(0, 2), 'another');
  await expect(rows).toHaveCount(2, { timeout: 10_000 });
  await expect(rows.first()).toContainText('prod/a');
  await expect(page.getByRole('button', { name: /newer/ })).toHaveCount(0);
  // Which it cannot show, it does not show what was.
  mock.proxy = (path) => (path.includes('history') ? proxyPage(502) : null);
  mock.replace([job('prod/a/newest')], story('prod/a/newest', now), 'a third');
  await expect(page.getByText('Could not be read: HTTP 502')).toBeVisible({ timeout: 10_000 });
  await expect(rows).toHaveCount(0);
});

test('what was committed before the stream was open is in the list', async ({ page, open }) => {
  const mock = await open([job(id)], '#/engine', (one) => { one.history = story(id, now); });
  let go = (): void => {};
  const waits = new Promise<void>((resolve) => { go = resolve; });
  await page.route('**/api/v1/events**', async (route) => {
    await waits;
    await route.continue();
  });
  await page.goto(`${mock.address}#/events`);
  await page.reload();
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(12);
  mock.sequence = 10_000;
  mock.commit(job(id, { state: 'FAILED' }), 'transition');
  go();
  await expect(page.locator('tbody tr[data-kind]')).toHaveCount(13);
});

test('an export is stopped by whoever wants it no more, and by leaving the page', async ({ page, open }) => {
  const mock = await open([job(id)], '#/events', (one) => {
    for (let at = 0; at < 2000; at += 1) one.history.push(...story(id, now, at * 20 + 1));
  });
  const asked = () => mock.asked.filter((one) => one.path.includes('limit=5000')).length;
  // Each page takes a while, so that there is something to be stopped.
  await page.route('**/api/v1/history?**limit=5000**', async (route) => {
    await page.waitForTimeout(400);
    await route.continue().catch(() => {});
  });
  const csv = page.getByRole('button', { name: 'Export CSV' });
  await csv.click();
  await expect.poll(asked).toBe(1);
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(csv).toBeEnabled();
  await expect(page.getByRole('alert').filter({ hasText: /./ })).toHaveCount(0);
  const stopped = asked();
  await csv.click();
  await expect.poll(asked).toBe(stopped + 1);
  await page.getByRole('link', { name: 'Engine' }).click();
  await expect(page.getByRole('heading', { name: 'Engine', level: 1 })).toBeVisible();
  await page.waitForTimeout(1500);
  expect(asked(), '24,000 entries are five pages').toBeLessThanOrEqual(stopped + 2);
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

test('what many jobs share is silenced at one of them, and its silence ends there', async ({ page, open }) => {
  const dark = { alert: 'KubernetesUnreachable', scope: 'cluster' as const, since: iso(now - MINUTE), message: 'refused' };
  const until = iso(now + 60 * MINUTE);
  // The job that it is shown with is not the one that has the silence; that one does not even have the alert.
  const mock = await open([job('prod/a/orders', { alerts: [dark] }), job('prod/b/payments', { silences: [{ alert: dark.alert, until, by: 'ann', since: iso(now) }] })], '#/alerts?show=silenced');
  const row = page.locator('tr[data-alert="KubernetesUnreachable"]');
  await expect(row).toContainText('by ann');
  await expect(row).toContainText('prod/b/payments');
  await row.getByRole('button', { name: 'End silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End silence' }).click();
  await expect(page.getByText('No alert that stands is silenced.')).toBeVisible();
  expect(mock.asked.filter((one) => one.method === 'DELETE').map((one) => one.path)).toEqual(['/api/v1/jobs/prod/b/payments/silences/KubernetesUnreachable']);
  await page.getByText('Firing 1').click();
  await expect(row).toHaveCount(1);
});

test('the silence of what many jobs share ends at all jobs that have one', async ({ page, open }) => {
  const dark = { alert: 'KubernetesUnreachable', scope: 'cluster' as const, since: iso(now - MINUTE), message: 'refused' };
  const silences = [{ alert: dark.alert, until: iso(now + 60 * MINUTE), by: 'ann', since: iso(now) }];
  const jobs = [job('prod/a/orders', { alerts: [dark], silences }), job('prod/a/other', { alerts: [dark] }), job('prod/b/payments', { silences }), job('prod/b/third', { alerts: [dark], silences }), job('staging/b/far', { silences })];
  const mock = await open(jobs, '#/alerts?show=silenced');
  await page.locator('tr[data-alert="KubernetesUnreachable"]').getByRole('button', { name: 'End silence' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('silenced at 3 jobs, and stays so until the last of them is taken back: all are, at prod/a/orders, prod/b/payments, prod/b/third.');
  await dialog.getByRole('button', { name: 'End silence' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('No alert that stands is silenced.')).toBeVisible();
  expect(mock.asked.filter((one) => one.method === 'DELETE').map((one) => one.path).sort()).toEqual(['a/orders', 'b/payments', 'b/third'].map((name) => `/api/v1/jobs/prod/${name}/silences/KubernetesUnreachable`));
});

test('silences of alerts that do not stand are listed with what is silenced, and ended there', async ({ page, open }) => {
  const until = iso(Date.now() + 60 * MINUTE);
  const silence = (alert: string) => ({ alert, until, by: 'ann', comment: 'we move Kafka', since: iso(now) });
  const mock = await open([job('prod/a/orders', { silences: [silence('KubernetesUnreachable'), silence('JobFaild')] }), job('prod/a/other')], '#/alerts?show=silenced');
  const waiting = page.locator('tr[data-waiting]');
  await expect(waiting).toHaveCount(2);
  await expect(waiting.first()).toContainText('orders');
  await expect(waiting.first()).toContainText('we move Kafka');
  await expect(waiting.first()).toContainText('by ann');
  await expect(page.getByText('No alert that stands is silenced.')).toBeVisible();
  await expect(page.getByText('No alert is silenced')).toHaveCount(0);
  await page.locator('tr[data-waiting="JobFaild"]').getByRole('button', { name: 'End silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End silence' }).click();
  await expect(waiting).toHaveCount(1);
  // The outage comes, at another job: what waited for it silences it now.
  mock.raise(job('prod/a/other', { alerts: [{ alert: 'KubernetesUnreachable', scope: 'cluster', since: iso(Date.now()), message: 'refused' }] }));
  await expect(page.locator('tr[data-alert="KubernetesUnreachable"]')).toContainText('noted at prod/a/orders');
  await expect(waiting).toHaveCount(0);
  // What cannot be read is not said to be none.
  mock.proxy = (path) => (path === '/api/v1/jobs' ? proxyPage(502) : null);
  await page.reload();
  await expect(page.getByText('Could not be read: HTTP 502')).toBeVisible();
});

test('more alerts than fit a page are counted, and shown on request', async ({ page, open }) => {
  const alert = { alert: 'JobFailed', scope: 'job' as const, since: iso(now - MINUTE), message: 'it failed' };
  await open(Array.from({ length: 1203 }, (_, at) => job(`prod/a/job-${at}`, { alerts: [alert] })), '#/alerts');
  await expect(page.getByText('Firing 1,203')).toBeVisible();
  await expect(page.locator('tr[data-alert]')).toHaveCount(500);
  await expect(page.getByText('500 of 1,203 are shown, the oldest first.')).toBeVisible();
  await page.getByRole('button', { name: 'Load more' }).click();
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(page.locator('tr[data-alert]')).toHaveCount(1203);
  await expect(page.getByText(/are shown, the oldest first/)).toHaveCount(0);
});

test('resolved alerts are read on behind pages that have none', async ({ page, open }) => {
  const entry = (sequence: number, status: 'firing' | 'resolved') => ({
    sequence, at: iso(now - MINUTE), job: id, kind: 'alert' as const, revision: 1, alert: { alert: 'JobFailed', job: id, scope: 'job' as const, status, since: iso(now - 2 * MINUTE), message: 'it failed' },
  });
  const mock = await open([job(id)], '#/alerts?show=resolved', (one) => {
    one.history = Array.from({ length: 3200 }, (_, at) => entry(at + 1, at < 900 ? 'resolved' : 'firing'));
  });
  // The newest 2,300 are beginnings.
  await expect(page.getByText('Resolved 700+')).toBeVisible();
  await expect(page.locator('tbody tr')).toHaveCount(700);
  await expect(page.getByText('No alert was resolved')).toHaveCount(0);
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(page.getByText('Resolved 900')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Load more' })).toHaveCount(0);
  mock.history = [];
  await page.reload();
  await expect(page.getByText('No alert was resolved in the last 7 days.')).toBeVisible();
});

test('policies tell module, digest, standing, latency and what shadows would show', async ({ page, open }) => {
  const shown = { state: 'RUNNING' as const, attempt: 1, confidence: 'stale' as const, reason: { code: 'FlinkSilent', message: 'Flink gives no answer' } };
  await open([job(id)], '#/policies', (one) => {
    one.policies = {
      items: [
        { name: 'conservative', role: 'decides', rollout: '100%', module: 'builtin:conservative', sha256: 'a'.repeat(64), contract: '0.2.0', description: 'Unknown is never absent.', since: iso(now), standing: 'as-configured', params: { alert_after: '30s', absence_confirmations: 2 }, signedBy: 'release@example.org' },
        { name: 'naive', role: 'shadow', rollout: '100%', module: 'oci://registry.example/naive', sha256: 'b'.repeat(64), contract: '0.2.0', description: 'For comparison.', since: iso(now), standing: 'outdated', params: {}, note: 'HTTP 404' },
      ],
      lastReload: { at: iso(now), result: 'refused', message: 'line 12: unknown key' },
    };
    const beside = { alerts: [], conditions: [], attention: 'active' as const, pollAfterSeconds: 5, wanted: [] };
    const alert = { name: 'RestartStorm', scope: 'job' as const, since: iso(now), message: '5 restarts' };
    const aspects = [{ aspect: 'state' as const, jobs: 1, differed: 31 }, { aspect: 'alerts' as const, jobs: 1, differed: 7 }, { aspect: 'pace' as const, jobs: 0, differed: 0 }];
    one.shadows = {
      policies: [{ policy: 'naive', jobs: 2, differing: 1, judged: 200, differed: 31, failures: 2, aspects }],
      items: [
        { policy: 'naive', job: id, differs: true, aspects: ['state', 'reason'], decided: { ...shown, policy: 'conservative' }, shadow: { ...shown, state: 'FAILED', rule: 'gone' }, since: iso(now), judged: 200, differed: 31, compared: { differences: [{ aspect: 'state', since: iso(now), times: 31 }], decided: beside, shadow: beside }, failure: null },
        { policy: 'naive', job: `${id}2`, differs: false, aspects: ['alerts'], decided: { ...shown, policy: 'conservative' }, shadow: { ...shown, rule: 'storm' }, since: iso(now), judged: 200, differed: 0, compared: { differences: [{ aspect: 'alerts', since: iso(now - MINUTE), times: 7 }], decided: beside, shadow: { ...beside, alerts: [alert] } }, failure: null },
      ],
      cursor: null,
    } satisfies ShadowPage;
    one.metrics = 'steadfast_policy_decision_duration_seconds_sum{policy="conservative"} 1.2\nsteadfast_policy_decision_duration_seconds_count{policy="conservative"} 4000\n';
  });
  await expect(page.locator('[data-policy="conservative"]')).toContainText('0.30 ms');
  await expect(page.locator('[data-policy="conservative"]')).toContainText('alert_after = "30s"');
  await expect(page.locator('[data-policy="conservative"]')).toContainText('absence_confirmations = 2');
  await expect(page.locator('[data-policy="conservative"]')).toContainText('Signed byrelease@example.org');
  await expect(page.locator('[data-policy="naive"]')).not.toContainText('Signed by');
  await expect(page.locator('[data-policy="naive"]')).toContainText('HTTP 404');
  await expect(page.locator('[data-policy="naive"]')).toContainText('differed in 31 of 200 decisions (15.5%), 2 failures');
  await expect(page.getByRole('table')).toContainText('FAILED');
  await expect(page.locator('[data-policy="naive"]')).toContainText('alerts: 1 job now, 7 decisions so far');
  await expect(page.locator('[data-policy="naive"]')).not.toContainText('pace of polls');
  // What differs in alerts alone is told apart from what differs in state.
  await expect(page.getByRole('row', { name: 'orders2' })).toContainText('alerts: RestartStorm; recorded: none');
  await expect(page.getByRole('row', { name: 'orders2' })).not.toContainText('state');
  await expect(page.getByText('line 12: unknown key')).toBeVisible();
});

test('the engine tells of its loop, store, sinks, followers and what it reads', async ({ page, open }) => {
  await open([job(id)], '#/engine', (one) => {
    one.ready = { ready: false, store: 'database is locked', policies: [], clusters: [], sinks: [{ name: 'pager', failingSince: iso(Date.now() - MINUTE), deadLetters: 3, lastDeadLetter: { sequence: 4, at: iso(now), why: 'HTTP 413' } }] };
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
