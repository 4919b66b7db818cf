import { test } from '@playwright/test';
import { Mock } from './mock/server';
import { fleet, iso, job, story, unreadable } from './mock/world';

test('look', async ({ page }) => {
  page.on('console', (message) => { if (message.type() === 'error') console.log('console', message.text()); });
  page.on('pageerror', (error) => console.log('pageerror', error));
  const now = Date.now();
  const jobs = fleet(132, 7, now);
  const orders = job('prod-eu/payments/checkout', {
    attempt: 3, since: iso(now - 34 * 60_000), alerts: [{ alert: 'CheckpointsFailing', scope: 'job', since: iso(now - 6 * 60_000), message: '12 checkpoints in a row have failed: s3: SlowDown (503): please reduce your request rate' }, { alert: 'RestartLoop', scope: 'job', since: iso(now - 9 * 60_000), message: '9 attempts in 10 minutes', silencedUntil: iso(now + 4e6) }],
    silences: [{ alert: 'RestartLoop', until: iso(now + 4e6), by: 'ann', comment: 'known, INC-1841', since: iso(now - 3e5) }],
    conditions: [{ type: 'CheckpointsFailing', since: iso(now - 6 * 60_000), message: '12 checkpoints in a row have failed: s3: SlowDown (503)' }],
    labels: { team: 'payments', tier: 'gold', app: 'orders' }, links: [{ name: 'Flink', url: 'https://flink.example/orders/' }, { name: 'Grafana', url: 'https://grafana.example/d/flink?var-job=orders' }],
    intent: { intent: 'savepoint', since: iso(now - 37 * 60_000), author: 'ann' },
  }, now);
  const mock = await new Mock([orders, ...jobs]).start();
  mock.sequence = 400;
  mock.clusters.items[2] = { ...unreadable('staging', 'connection refused: https://staging.example:6443/apis/apps/v1/deployments: Connection refused (os error 111)', 12_000, now), jobs: 20, unconfirmed: 20, flinks: { watched: 20, silent: 20 } };
  mock.history.push(...story(orders.id, now, 1));
  for (const one of jobs.slice(0, 12)) mock.history.push(...story(one.id, now, mock.history.length + 1));
  const shot = async (name: string, isWhole = false) => { await page.waitForTimeout(900); await page.screenshot({ path: `/tmp/dash-shots/${name}.png`, fullPage: isWhole }); };
  await page.goto(mock.address);
  await page.waitForSelector('tbody tr[data-id]');
  await shot('fleet');
  await page.goto(`${mock.address}#/jobs/prod-eu/payments/checkout`);
  await shot('job', true);
  const plot = page.locator('.plot svg');
  const box = (await plot.boundingBox())!;
  await page.mouse.click(box.x + box.width * 0.83, box.y + 40);
  await shot('job-then');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot('job-dark');
  for (const name of ['alerts', 'events', 'policies', 'engine']) { await page.goto(`${mock.address}#/${name}`); await shot(name); }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${mock.address}#/jobs`);
  await shot('fleet-390');
  await page.goto(`${mock.address}#/jobs/prod-eu/payments/checkout`);
  await shot('job-390', true);
  await mock.stop();
});
