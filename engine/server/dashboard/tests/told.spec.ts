// What is told of ends, outages, calls and silences.

import type { HistoryItem } from '../src/api/types';
import { iso, job, story, unreadable } from './mock/world';
import { expect, test } from './page';

const id = 'prod/payments/orders';
const now = Date.now();
const MINUTE = 60_000;
const dark = { alert: 'KubernetesUnreachable', scope: 'cluster' as const, since: iso(now - MINUTE), message: 'connection refused' };

test('of a job that ended nobody pretends to have asked afresh', async ({ page, open }) => {
  const mock = await open([job(id, { state: 'FINISHED' })], `#/jobs/${id}`);
  await expect(page.getByText('It ended; this was told, and it stays.')).toBeVisible();
  await expect(page.locator('.head .badge')).toHaveAttribute('title', 'It ended; this was told, and it stays.');
  mock.commit(job(id), 'transition');
  await expect(page.getByText('The source that owns the truth said so.')).toBeVisible();
});

test('an outage counts the jobs that have not ended, and has one time', async ({ page, open }) => {
  const ended = ['a', 'b', 'c'].map((name) => job(`prod/x/${name}`, { state: 'FINISHED' }));
  const stale = ['d', 'e'].map((name) => job(`prod/x/${name}`, { confidence: 'stale' }));
  const mock = await open([...ended, ...stale], '', (one) => {
    const cluster = { ...unreadable('prod', 'connection refused', 2 * MINUTE), jobs: 5, unconfirmed: 2, flinks: { watched: 2, silent: 2 } };
    // The operator was never there: that is no part of the outage.
    cluster.kinds = cluster.kinds.map((kind) => (kind.kind.startsWith('Flink') ? { ...kind, unknownSince: iso(now - 900 * MINUTE) } : kind));
    one.clusters.items[0] = cluster;
  });
  const outage = page.locator('[data-outage="prod"]');
  await expect(outage).toContainText('2 jobs are shown as last seen; 3 had ended before.');
  await expect(outage).not.toContainText('still confirms');
  await expect(outage).toContainText(/since \d\d:\d\d:\d\d, 2m/);
  await expect(page.locator('[data-cluster="prod"]')).toContainText('not readable for 2m');
  await expect(page.locator('[data-cluster="prod"]')).toContainText('2 of 5 not confirmed');
  await expect(page.getByRole('button', { name: /^Unconfirmed/ })).toHaveAttribute('title', 'Not confirmed, and nothing worse');
  mock.commit(job('prod/x/d'));
  await expect(outage).toContainText('Flink itself still confirms 1 of 2 jobs that have not ended.');
  for (const one of stale) mock.commit({ ...one, state: 'FINISHED', confidence: 'confirmed' }, 'transition');
  await expect(outage).toContainText('All of its 5 jobs had ended before.');
});

const call = (sequence: number, more: Partial<NonNullable<HistoryItem['call']>>): HistoryItem => {
  const at = iso(now - (40 - sequence) * 1000);
  return { sequence, at, job: id, kind: 'call', revision: sequence, call: { sequence, at, what: 'silence', through: 'nothing', from: '127.0.0.1', ...more } };
};

test('a call says what was asked for, until when, why, and by whom', async ({ page, open }) => {
  const until = iso(now + 60 * MINUTE);
  await open([job(id)], '#/events', (one) => {
    one.history = [
      call(1, { alert: 'JobFailed', until, comment: 'being repaired' }),
      call(2, { what: 'unsilence', alert: 'JobFailed', through: 'token', by: 'deploy-bot', says: 'ann', from: '10.0.0.7' }),
      call(3, { what: 'cancel' }), call(4, { what: 'none' }), call(5, { what: 'forget-by-force' }),
    ];
  });
  const rows = page.locator('tbody tr[data-kind="call"]');
  await expect(rows.nth(4)).toContainText(/JobFailed silenced until (\d\d-\d\d )?\d\d:\d\d: being repaired/);
  await expect(rows.nth(4)).toContainText('from 127.0.0.1, without a token');
  await expect(rows.nth(3)).toContainText('silence of JobFailed ended');
  await expect(rows.nth(3)).toContainText('by deploy-bot, for ann (as they say), from 10.0.0.7, with a token');
  await expect(rows.nth(2)).toContainText('intent: cancel');
  await expect(rows.nth(1)).toContainText('intent taken back');
  await expect(rows.nth(0)).toContainText('record removed by force');
  await expect(page.locator('main')).not.toContainText('nothing');
});

test('an update says what it changed, and those that say nothing are one row', async ({ page, open }) => {
  await open([job(id)], `#/events?kind=transition,update`, (one) => {
    const update = (sequence: number): HistoryItem => ({ sequence, at: iso(now), job: id, kind: 'update', revision: sequence, confidence: 'confirmed' });
    one.history = [...story(id, now - MINUTE), ...Array.from({ length: 9 }, (_, at) => update(100 + at))];
  });
  const rows = page.locator('tbody tr[data-kind="update"]');
  await expect(rows).toHaveCount(3);
  await expect(rows.nth(0)).toContainText('What is known of it changed 9 times, its state did not.');
  await expect(rows.nth(1)).toContainText('stale → confirmed');
  await expect(rows.nth(2)).toContainText('confirmed → stale');
  await expect(rows.nth(2)).not.toContainText('its state did not');
});

test('an alert of a cluster is told of the cluster, not of the job that had it first', async ({ page, open }) => {
  const entry = (sequence: number, status: 'firing' | 'resolved'): HistoryItem => ({ sequence, at: iso(now - (9 - sequence) * 1000), job: id, kind: 'alert', revision: sequence, alert: { ...dark, job: id, status } });
  const mock = await open([job(id)], '#/alerts?show=resolved', (one) => { one.history = [entry(1, 'firing'), entry(2, 'resolved')]; });
  const row = page.locator('tbody tr').filter({ hasText: dark.alert });
  await expect(row.first()).toContainText('cluster prod');
  await expect(row.first()).not.toContainText('orders');
  await page.goto(`${mock.address}#/events`);
  await expect(row).toHaveCount(2);
  for (const at of [0, 1]) await expect(row.nth(at).locator('.which')).toHaveText('cluster prod');
});

test('a silence of an alert that does not stand is seen, and ended', async ({ page, open }) => {
  const silence = { alert: 'JobFaild', since: iso(now), until: iso(now + 60 * MINUTE), by: 'ann', comment: 'known' };
  const mock = await open([job(id, { silences: [silence] })], `#/jobs/${id}`);
  const shown = page.locator('[data-silence="JobFaild"]');
  await expect(shown).toContainText('by ann: known');
  await expect(shown).toContainText('This alert does not stand now.');
  await shown.getByRole('button', { name: 'End silence' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End silence' }).click();
  await expect(shown).toHaveCount(0);
  expect(mock.asked.filter((one) => one.method === 'DELETE').map((one) => one.path)).toEqual([`/api/v1/jobs/${id}/silences/JobFaild`]);
});

test('of selected jobs those are silenced that have the alert, and the dialog says so', async ({ page, open }) => {
  const loop = { alert: 'RestartLoop', scope: 'job' as const, since: iso(now), message: '9 attempts' };
  const mock = await open([job('prod/a/j1', { alerts: [loop] }), job('prod/a/j2'), job('prod/a/j3', { alerts: [{ ...loop, alert: 'JobFailed' }] })]);
  for (const name of ['j1', 'j2', 'j3']) await page.getByLabel(`Select prod/a/${name}`).check();
  await page.getByRole('region', { name: '3 selected' }).getByRole('button', { name: 'Silence' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Alert').selectOption('RestartLoop');
  await expect(dialog).toContainText('1 of the 3 selected jobs has this alert now; only that one is silenced.');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await expect(dialog).toContainText('Done for 1 job.');
  expect(mock.asked.filter((one) => one.method === 'PUT').map((one) => one.path)).toEqual(['/api/v1/jobs/prod/a/j1/silences/RestartLoop']);
});

test('of selected jobs that share an alert one of each cluster is silenced for all', async ({ page, open }) => {
  const jobs = ['prod/a/j1', 'prod/a/j2', 'prod/a/j3', 'staging/a/j4', 'staging/a/j5'].map((name) => job(name, { alerts: name.endsWith('j3') ? [] : [dark] }));
  const mock = await open(jobs);
  for (const { id: name } of jobs) await page.getByLabel(`Select ${name}`).check();
  await page.getByRole('region', { name: '5 selected' }).getByRole('button', { name: 'Silence' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('4 of the 5 selected jobs have this alert now.');
  await expect(dialog).toContainText('at prod/a/j1, staging/a/j4.');
  await dialog.getByRole('button', { name: 'Silence' }).click();
  await expect(dialog).toContainText('Done for 2 jobs.');
  expect(mock.asked.filter((one) => one.method === 'PUT').map((one) => one.path).sort()).toEqual(['prod/a/j1', 'staging/a/j4'].map((name) => `/api/v1/jobs/${name}/silences/KubernetesUnreachable`));
});

test('a silence of an alert that only other jobs of the cluster have says so', async ({ page, open }) => {
  const silences = [{ alert: dark.alert, since: iso(now), until: iso(Date.now() + 60 * MINUTE), by: 'ann' }];
  await open([job(id, { silences }), job('prod/payments/other', { alerts: [dark] })], `#/jobs/${id}`);
  const shown = page.locator(`[data-silence="${dark.alert}"]`);
  await expect(shown).toContainText('This job does not have the alert. It stands at others, and this silence is of the whole cluster.');
  await expect(shown).not.toContainText('does not stand now');
});

test('until when a shared alert is silenced, and where, is told by the record', async ({ page, open }) => {
  const until = iso(Date.now() + 60 * MINUTE);
  const silenced = { ...dark, silencedUntil: until, silencedJob: 'prod/b/other' };
  await open([job(id, { alerts: [silenced] })], `#/jobs/${id}`, (one) => { one.missing = [/alerts$/]; });
  const shown = page.locator(`.standing [data-alert="${dark.alert}"]`);
  await expect(shown).toContainText(/silenced until .*, noted at prod\/b\/other/);
  await expect(page.getByRole('button', { name: 'Silence', exact: true })).toHaveCount(0);
});

test('what an alert and a condition of the same name tell is told once', async ({ page, open }) => {
  const conditions = [{ type: dark.alert as 'KubernetesUnreachable', since: dark.since, message: dark.message }, { type: 'FleetDisrupted' as const, since: dark.since, message: 'most is dark' }];
  await open([job(id, { alerts: [dark], conditions })], `#/jobs/${id}`);
  await expect(page.locator('.standing li')).toHaveCount(2);
  await expect(page.locator('.standing').getByText('connection refused')).toHaveCount(1);
});

test('words of the timeline stay within their piece', async ({ page, open }) => {
  await open([job(id)], `#/jobs/${id}`, (one) => { one.history = story(id, now); });
  const plot = page.locator('.plot svg');
  await expect(plot.locator('g[data-state]')).toHaveCount(10);
  for (const width of [1440, 1280, 1000, 700, 390]) {
    await page.setViewportSize({ width, height: 900 });
    const over = () => plot.evaluate((svg) => [...svg.querySelectorAll('g[data-state], g[data-alert]')].flatMap((group) => {
      const [piece, word] = [group.querySelector('rect')?.getBoundingClientRect(), group.querySelector('text')?.getBoundingClientRect()];
      return piece && word && (word.right > piece.right || word.left < piece.left) ? [group.querySelector('text')?.textContent] : [];
    }));
    await expect.poll(over, `at ${width}`).toEqual([]);
  }
});

test('at 1280 pixels the reason has the most room of all columns, and words are not broken', async ({ page, open }) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  const mock = await open([job(id)]);
  const widths = await page.locator('thead th').evaluateAll((heads) => heads.map((head) => [head.className.split(' ')[0], head.getBoundingClientRect().width] as const));
  const why = widths.find(([name]) => name === 'why')?.[1] ?? 0;
  for (const [name, width] of widths) if (name !== 'why') expect(why, name).toBeGreaterThan(1.4 * width);
  await page.goto(`${mock.address}#/jobs/${id}`);
  const name = page.locator('tr[data-shadow="naive"] th bdi');
  expect((await name.boundingBox())?.height).toBeLessThan(24);
  await expect(page.locator('tr[data-shadow="naive"] th p')).toHaveText('differs');
  expect((await page.locator('tr[data-shadow="naive"] th p').boundingBox())?.height).toBeLessThan(24);
});

for (const language of ['en', 'zh']) {
  test(`names of policies are not broken within the word: ${language}`, async ({ page, open }) => {
    await page.addInitScript((chosen) => localStorage.setItem('steadfast-settings', JSON.stringify({ language: chosen })), language);
    const shown = { state: 'FAILED' as const, attempt: 1, confidence: 'confirmed' as const, reason: { code: 'x', message: 'GET http://10.96.0.7:8081/jobs/overview: connection refused, which for this watcher means that the job is gone for good' } };
    await open([job(id)], '#/policies', (one) => {
      const beside = { alerts: [], conditions: [], attention: 'active' as const, pollAfterSeconds: 5, wanted: [] };
      const compared = { differences: [{ aspect: 'state' as const, since: iso(now), times: 1 }], decided: beside, shadow: beside };
      const item = { policy: 'naive', job: id, differs: true, aspects: ['state' as const], decided: { ...shown, policy: 'conservative' }, shadow: { ...shown, rule: 'gone' }, since: iso(now), judged: 2, differed: 1, compared, failure: null };
      one.shadows = { policies: [{ policy: 'naive', jobs: 1, differing: 1, judged: 2, differed: 1, failures: 0, aspects: [] }], items: [item], cursor: null };
    });
    for (const width of [1440, 1280, 1000]) {
      await page.setViewportSize({ width, height: 900 });
      expect((await page.locator('td bdi').filter({ hasText: /^naive$/ }).boundingBox())?.height, `at ${width}`).toBeLessThan(24);
    }
  });
}

test('in Chinese it is said once that reasons are in English', async ({ page, open }) => {
  await page.addInitScript(() => localStorage.setItem('steadfast-settings', JSON.stringify({ language: 'zh' })));
  await open([job(id)], `#/jobs/${id}`);
  await expect(page.getByText('原因、规则与消息由引擎以英文给出。')).toHaveCount(1);
});
