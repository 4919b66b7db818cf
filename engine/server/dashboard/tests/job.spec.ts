import type { HistoryItem } from '../src/api/types';
import { iso, job, story } from './mock/world';
import { expect, queryOf, test } from './page';

const id = 'prod/payments/orders';
const MINUTE = 60_000;
const orders = () => job(id, {
  attempt: 3, labels: { team: 'payments' }, links: [{ name: 'Grafana', url: 'https://grafana.example/d/flink' }, { name: 'Evil', url: 'javascript:alert(1)' }],
  alerts: [{ alert: 'CheckpointsFailing', scope: 'job', since: iso(Date.now() - 6 * MINUTE), message: '12 in a row have failed' }],
});
const page1 = `#/jobs/${id}`;

test('the state is told with how certain it is, why, and since when', async ({ page, open }) => {
  const mock = await open([orders()], page1, (one) => { one.history = story(id, Date.now()); });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('orders');
  await expect(page.getByText('The source that owns the truth said so. Last confirmed')).toBeVisible();
  await expect(page).toHaveTitle('(1) orders · Steadfast');
  mock.commit({ ...orders(), confidence: 'stale', reason: { code: 'FlinkSilent', message: 'Flink gives no answer' } });
  await expect(page.getByText('It was so when it was last seen; no source has a fresh answer.').first()).toBeVisible();
  await expect(page.locator('.said')).toContainText('Flink gives no answer');
});

test('the timeline draws states, hatches what was not confirmed, and has alerts, attempts and intents', async ({ page, open }) => {
  await open([orders()], page1, (one) => { one.history = story(id, Date.now()); });
  const plot = page.locator('.plot svg');
  await expect(plot.locator('g[data-state]')).toHaveCount(10);
  await expect(plot.locator('g[data-state="RUNNING"][data-confidence="stale"] rect.over')).toHaveCount(1);
  await expect(plot.locator('g[data-confidence="confirmed"] rect.over')).toHaveCount(0);
  await expect(plot.locator('g[data-alert="RestartLoop"]')).toHaveCount(1);
  await expect(plot.locator('[data-mark="attempt"]')).toHaveCount(2);
  await expect(plot.locator('[data-mark="intent"]')).toHaveCount(1);
});

test('a moment of the timeline tells what was known then, and is in the address', async ({ page, open }) => {
  await open([orders()], page1, (one) => { one.history = story(id, Date.now()); });
  const box = await page.locator('.plot svg').boundingBox();
  if (!box) throw new Error('nothing is drawn');
  // 118 minutes from edge to edge: RESTARTING was from 62 to 49 minutes ago.
  await page.mouse.click(box.x + box.width * (1 - 55 / 118), box.y + 35);
  const then = page.locator('[data-known-then]');
  await expect(then).toContainText('RESTARTING');
  await expect(then).toContainText('attempt 2');
  await expect(then).toContainText('RestartLoop');
  expect(Date.now() - Date.parse(queryOf(page).get('at') ?? '')).toBeGreaterThan(50 * MINUTE);
  await page.reload();
  await expect(then).toContainText('RESTARTING');
  await page.locator('.plot svg').focus();
  for (let at = 0; at < 4; at += 1) await page.keyboard.press('ArrowRight');
  await expect(then).toContainText('RUNNING');
  await page.getByRole('button', { name: 'Back to now' }).click();
  await expect(then).toHaveCount(0);
});

test('a range of the timeline is zoomed to by a drag, and is in the address', async ({ page, open }) => {
  await open([orders()], page1, (one) => { one.history = story(id, Date.now()); });
  const box = await page.locator('.plot svg').boundingBox();
  if (!box) throw new Error('nothing is drawn');
  await page.mouse.move(box.x + box.width * 0.3, box.y + 35);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 35, { steps: 4 });
  await page.mouse.up();
  const length = () => Date.parse(queryOf(page).get('to') ?? '') - Date.parse(queryOf(page).get('from') ?? '');
  await expect.poll(() => length() / (118 * MINUTE)).toBeCloseTo(0.2, 1);
  await expect.poll(() => page.locator('.plot g[data-state]').count()).toBeLessThan(10);
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await expect(page.locator('.plot g[data-state]')).toHaveCount(10);
});

test('the evidence is in the words of `steadfast explain`, with ages', async ({ page, open }) => {
  await open([orders()], page1);
  const row = (source: string) => page.locator(`tr[data-source="${source}"]`);
  await expect(row('pods')).toContainText('JobManager pods');
  await expect(row('pods')).toContainText('2 restarts, last ended OOMKilled (137)');
  await expect(row('flinkResource')).toContainText('absent: a complete answer lacks it');
  await expect(row('taskManagers')).toContainText('unknown, 3 looks in a row, last known 1m 15s ago: /api/v1/pods: no answer within 3 s');
  await expect(row('flink').locator('td').first()).toHaveText(/^\d+\.\ds$/);
  await expect(page.getByText('Never asked: exceptions, events, last words')).toBeVisible();
  await expect(page.locator('tr[data-shadow="naive"]')).toContainText('differs');
  await expect(page.locator('tr[data-shadow="naive"]')).toContainText('alerts: JobFailed; recorded: none');
});

test('Flink is asked for its own facts, and the log only when somebody wants it', async ({ page, open }) => {
  const mock = await open([orders()], page1);
  await expect(page.getByText('1841 completed, 12 failed, 1 in progress, 2 restored')).toBeVisible();
  await expect(page.getByText('s3://flink-state/prod/orders/9c21/chk-1853')).toBeVisible();
  await expect(page.getByText('Join with customers → Filter')).toBeVisible();
  const trace = page.getByText('at com.example.orders.Join.processElement').first();
  await expect(trace).toBeHidden();
  await page.getByText('Stack trace').click();
  await expect(trace).toBeVisible();
  await expect(page.locator('tr[data-pod="orders-7f9c-jm1"]')).toContainText('OOMKilled (exit code 137)');
  expect(mock.asked.filter((one) => one.path.includes('/log'))).toEqual([]);
  await page.getByRole('button', { name: 'Read the log', exact: true }).click();
  await expect(page.getByText('Completed checkpoint 1849')).toBeVisible();
  await page.getByPlaceholder('Find in the log').fill('warn');
  await expect(page.getByText('6 lines')).toBeVisible();
});

test('what this engine does not serve is said quietly, and the rest goes on', async ({ page, open }) => {
  await open([orders()], page1, (one) => { one.missing = [/\/(flink|pods|log)$/, /history/]; });
  await expect(page.locator('tr[data-source="pods"]')).toBeVisible();
  await expect(page.getByText('This engine does not tell it yet')).toHaveCount(3);
  await expect(page.getByRole('alert').filter({ hasText: /./ })).toHaveCount(0);
});

test('links lead out by http alone', async ({ page, open }) => {
  await open([orders()], page1);
  await expect(page.getByRole('link', { name: 'Grafana' })).toHaveAttribute('rel', /noreferrer/);
  await expect(page.getByText('Evil')).toHaveCount(0);
});

test('an intent says that Steadfast cancels nothing, and is noted', async ({ page, open }) => {
  const mock = await open([orders()], page1);
  await page.getByRole('button', { name: 'Set intent' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Steadfast itself starts, cancels and saves nothing');
  await dialog.getByLabel(/cancel/).check();
  await dialog.getByLabel(/Your name/).fill('ann');
  await dialog.getByRole('button', { name: 'Note the intent' }).click();
  await expect(dialog).toHaveCount(0);
  expect(mock.asked.find((one) => one.method === 'PUT')).toMatchObject({ path: `/api/v1/jobs/${id}/intent`, body: { intent: 'cancel', author: 'ann' } });
  await expect(page.getByText(/^cancel, noted .* ago by ann$/)).toBeVisible();
});

test('an alert is silenced until a time, and the silence ended', async ({ page, open }) => {
  const mock = await open([orders()], page1);
  await page.getByRole('button', { name: 'Silence' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Until').selectOption('1h');
  await dialog.getByLabel('Comment').fill('known');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await expect(page.locator('[data-alert="CheckpointsFailing"]').first()).toContainText('silenced until');
  const put = mock.asked.find((one) => one.method === 'PUT');
  expect(put?.path).toBe(`/api/v1/jobs/${id}/silences/CheckpointsFailing`);
  const until = Date.parse((put?.body as { until: string }).until) - Date.now();
  expect(Math.abs(until - 60 * MINUTE)).toBeLessThan(MINUTE);
  await expect(page).toHaveTitle('orders · Steadfast');
  await page.getByRole('button', { name: 'End silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End silence' }).click();
  await expect(page).toHaveTitle('(1) orders · Steadfast');
});

test('a job that is seen alive is forgotten by force alone', async ({ page, open }) => {
  await open([orders()], page1);
  await page.getByRole('button', { name: 'Forget' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Forget' }).click();
  await expect(dialog).toContainText('is seen alive; add force=true');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('button', { name: 'Forget' }).click();
  await dialog.getByLabel('Even if it is seen alive').check();
  await dialog.getByRole('button', { name: 'Forget' }).click();
  await expect(page.getByRole('heading', { name: 'The record of this job was removed.' })).toBeVisible();
  await expect(page.getByText('There is no such job on record')).toHaveCount(0);
  // Whoever comes later is told so by its history, which is still there.
  await page.reload();
  await expect(page.getByRole('heading', { name: 'The record of this job was removed.' })).toBeVisible();
  await page.getByRole('link', { name: 'What happened to it is still on the page Events.' }).click();
  await expect(page.locator('tbody tr[data-kind="forgotten"]')).toHaveCount(1);
  expect(queryOf(page).get('job')).toBe(id);
});

test('a job that was forgotten and is seen again is shown', async ({ page, open }) => {
  const mock = await open([orders()], page1);
  await expect(page.locator('.link')).toHaveText('live');
  mock.forget(id);
  await expect(page.getByRole('heading', { name: 'The record of this job was removed.' })).toBeVisible();
  mock.commit(job(id), 'transition');
  await expect(page.locator('.head .badge')).toContainText('RUNNING');
  await expect(page.getByText('The record of this job was removed.')).toHaveCount(0);
});

test('a look asks now', async ({ page, open }) => {
  const mock = await open([orders()], page1);
  await page.getByRole('button', { name: 'Look now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Look now' }).click();
  await expect(page.getByText('Looked. This is what they say now.')).toBeVisible();
  expect(mock.asked.find((one) => one.method === 'POST')?.path).toBe(`/api/v1/jobs/${id}/look`);
});

test('a job that is not on record is told with the engine’s own words, and is shown once it is there', async ({ page, open }) => {
  const mock = await open([], '#/jobs/prod/a/nobody');
  await expect(page.getByText('there is no job prod/a/nobody')).toBeVisible();
  mock.commit(job('prod/a/nobody'), 'transition');
  await expect(page.getByRole('heading', { name: 'nobody' })).toBeVisible();
});

test('what is not there is told as what it is', async ({ page, open }) => {
  const mock = await open([orders()], page1, (one) => {
    one.closeup = { job: { known: 'absent' }, checkpoints: { known: 'absent' }, exceptions: { known: 'absent' }, log: { known: 'absent' } };
  });
  await expect(page.getByText('Flink does not know this job.')).toHaveCount(3);
  await page.getByRole('button', { name: 'Read the log', exact: true }).click();
  await expect(page.getByText('There is no such log')).toBeVisible();
  await expect(page.getByText('This engine does not tell it yet')).toHaveCount(0);
  await expect(page.getByText('Flink tells of none')).toHaveCount(0);
  mock.closeup = { exceptions: { known: 'present', value: { history: [], truncated: false } } };
  await page.getByRole('button', { name: 'Ask again: Flink' }).click();
  await expect(page.getByText('Flink tells of none.')).toBeVisible();
});

test('what is left out of a list is counted', async ({ page, open }) => {
  const vertex = { id: 'v', name: 'Source', parallelism: 1, status: 'RUNNING', tasks: { RUNNING: 1 } };
  await open([orders()], page1, (one) => {
    one.closeup = { job: { known: 'present', value: { id: 'j', name: 'orders', state: 'RUNNING', startedAt: iso(Date.now()), durationSeconds: 1, parallelism: 1, vertices: [vertex], verticesOmitted: 41 } }, podsOmitted: 7 };
  });
  await expect(page.getByText('and 41 operators more')).toBeVisible();
  await expect(page.getByText('and 7 pods more')).toBeVisible();
});

test('an alert that another job tells the end of does not stand for ever', async ({ page, open }) => {
  const at = iso(Date.now() - 30 * MINUTE);
  const alert = { alert: 'KubernetesUnreachable', job: id, scope: 'cluster' as const, status: 'firing' as const, since: at, message: 'refused' };
  const mock = await open([orders()], page1, (one) => { one.history = [...story(id, Date.now()), { sequence: 90, at, job: id, kind: 'alert', revision: 90, alert }]; });
  await expect(page.locator('.plot g[data-alert="RestartLoop"]')).toHaveCount(1);
  await expect(page.locator('.plot g[data-alert="KubernetesUnreachable"]')).toHaveCount(0);
  await expect(page.locator('.history')).toContainText('KubernetesUnreachable fires');
  mock.commit({ ...orders(), alerts: [{ alert: alert.alert, scope: 'cluster', since: at, message: 'refused' }] });
  await expect(page.locator('.plot g[data-alert="KubernetesUnreachable"]')).toHaveCount(1);
});

test('a shared alert that is silenced at another job is not shown as one that sinks are told of', async ({ page, open }) => {
  const dark = { alert: 'KubernetesUnreachable', scope: 'cluster' as const, since: iso(Date.now() - MINUTE), message: 'refused' };
  const until = iso(Date.now() + 60 * MINUTE);
  const mock = await open([job(id, { alerts: [dark] }), job('prod/b/other', { alerts: [dark], silences: [{ alert: dark.alert, until, by: 'ann', since: dark.since }] })], page1);
  const shown = page.locator('.standing [data-alert="KubernetesUnreachable"]');
  await expect(shown).toContainText('by ann, noted at prod/b/other');
  await expect(page.getByRole('button', { name: 'Silence', exact: true })).toHaveCount(0);
  await shown.getByRole('button', { name: 'End silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End silence' }).click();
  await expect(shown).not.toContainText('silenced');
  expect(mock.asked.filter((one) => one.method === 'DELETE').map((one) => one.path)).toEqual(['/api/v1/jobs/prod/b/other/silences/KubernetesUnreachable']);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('orders');
  await expect(page.getByRole('button', { name: 'Silence', exact: true })).toBeVisible();
});

test('of a moment in an outage it is told since when the state stands, and that its reason is that of before', async ({ page, open }) => {
  const now = Date.now();
  await open([orders()], `${page1}?at=${iso(now - 20 * MINUTE)}`, (one) => { one.history = story(id, now); });
  const then = page.locator('[data-known-then]');
  await expect(then.locator('.badge')).toHaveAttribute('data-confidence', 'stale');
  await expect(then.locator('time').nth(0)).toHaveAttribute('datetime', iso(now - 34 * MINUTE));
  await expect(then.locator('time').nth(1)).toHaveAttribute('datetime', iso(now - 22 * MINUTE));
  await expect(then).toContainText(/what the reason was then is not told. At .* it was: Flink reports RUNNING/);
  await expect(page.locator('.plot g[data-confidence="stale"] title')).not.toContainText('Flink reports');
  await expect(then).toContainText(/intent: savepoint \(ann\) noted at/);
});

test('of outages after one another each has its own piece of the timeline', async ({ page, open }) => {
  const now = Date.now();
  const dark = (since: number) => ({ alert: 'KubernetesUnreachable', scope: 'cluster' as const, since: iso(now - since * MINUTE), message: 'refused' });
  const told = (sequence: number, ago: number, status: 'firing' | 'resolved', since: number): HistoryItem => ({ sequence, at: iso(now - ago * MINUTE), job: id, kind: 'alert', revision: sequence, alert: { ...dark(since), job: id, status } });
  // The first began here and ended at another job; of the second it is the other way round; the third stands.
  await open([job(id, { alerts: [dark(2)] })], `${page1}?at=${iso(now - 40 * MINUTE)}`, (one) => { one.history = [...story(id, now), told(90, 60, 'firing', 60), told(91, 20, 'resolved', 25)]; });
  const bars = page.locator('.plot g[data-alert="KubernetesUnreachable"]');
  await expect(bars).toHaveCount(2);
  await expect(bars.nth(0).locator('title')).toContainText(', 5m');
  await expect(bars.nth(1).locator('title')).toContainText(', 2m');
  await expect(page.locator('[data-known-then]')).toContainText('RUNNING');
  await expect(page.locator('[data-known-then]')).not.toContainText('KubernetesUnreachable');
});
