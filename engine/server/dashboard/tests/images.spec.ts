// The pictures in docs/images, kept as they are: loosely, since fonts differ between machines.

import { clustersOf, fleet, iso, job, story, unreadable } from './mock/world';
import type { Job } from '../src/api/types';
import type { Mock } from './mock/server';
import { expect, test } from './page';

const NOW = Date.parse('2026-11-28T03:31:20Z');
const id = 'prod-eu/payments/checkout';
const MINUTE = 60_000;
/** An engine whose clock stands still. */
function stopped(mock: Mock): void {
  mock.now = NOW;
  mock.clusters = clustersOf([...mock.jobs.values()], NOW);
}

const LOOSELY = { maxDiffPixelRatio: 0.08, animations: 'disabled' as const };

const checkout = () => job(id, {
  attempt: 3, since: iso(NOW - 34 * MINUTE), startedAt: iso(NOW - 49 * MINUTE), firstSeen: iso(NOW - 34 * MINUTE),
  alerts: [{ alert: 'CheckpointsFailing', scope: 'job', since: iso(NOW - 6 * MINUTE), message: '12 checkpoints in a row have failed: s3: SlowDown (503): please reduce your request rate' }],
  conditions: [{ type: 'CheckpointsFailing', since: iso(NOW - 6 * MINUTE), message: '12 checkpoints in a row have failed: s3: SlowDown (503)' }],
  labels: { team: 'payments', tier: 'gold' }, links: [{ name: 'Flink', url: 'https://flink.example/checkout/' }, { name: 'Grafana', url: 'https://grafana.example/d/flink' }],
}, NOW);

/** As the jobs of a cluster are that cannot be seen. */
const unseen = (one: Job): Job => {
  const { severity: _, ...more } = one;
  const conditions = [{ type: 'KubernetesUnreachable' as const, since: iso(NOW - 12_000), message: 'refused: /apis/apps/v1/deployments' }];
  return one.cluster === 'staging' && one.state === 'RUNNING' ? job(one.id, { ...more, confidence: 'stale', confirmedAt: iso(NOW - 14_000), conditions, reason: { code: 'Unseen', message: 'Neither Flink nor Kubernetes answers: RUNNING when last seen' } }, NOW) : one;
};

test.use({ timezoneId: 'UTC' });

for (const [name, theme] of [['fleet', 'light'], ['fleet-dark', 'dark']] as const) {
  test(`image: ${name}`, async ({ page, open }) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.clock.setFixedTime(NOW);
    await open([checkout(), ...fleet(132, 7, NOW).map(unseen)], '', (mock) => {
      stopped(mock);
      const staging = mock.clusters.items[2];
      mock.clusters.items[2] = { ...unreadable('staging', 'refused: /apis/apps/v1/deployments: Connection refused (os error 111)', 12_000, NOW), jobs: staging?.jobs ?? 0, unconfirmed: staging?.unconfirmed ?? 0 };
    });
    await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
    await expect(page).toHaveScreenshot(`dashboard-${name}.png`, LOOSELY);
  });
}

test('image: job', async ({ page, open }) => {
  await page.setViewportSize({ width: 1440, height: 1240 });
  await page.clock.setFixedTime(NOW);
  await open([checkout()], `#/jobs/${id}?at=${iso(NOW - 18 * MINUTE)}`, (mock) => {
    stopped(mock);
    mock.history = story(id, NOW);
  });
  await expect(page.locator('main')).not.toContainText('Loading…');
  await expect(page.locator('[data-known-then]')).toBeVisible();
  await expect(page).toHaveScreenshot('dashboard-job.png', LOOSELY);
});

test('image: phone', async ({ page, open }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.clock.setFixedTime(NOW);
  await open([checkout(), ...fleet(40, 7, NOW)], '', stopped);
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  await expect(page).toHaveScreenshot('dashboard-phone.png', LOOSELY);
});

test('image: engine gone', async ({ page, open }) => {
  await page.clock.setFixedTime(NOW);
  const mock = await open([checkout(), ...fleet(132, 7, NOW)], '', stopped);
  await expect(page.locator('tbody tr[data-id]').first()).toBeVisible();
  await mock.stop();
  await page.clock.setFixedTime(NOW + 25_000);
  await expect(page.locator('.banner')).toContainText('25s ago');
  await expect(page).toHaveScreenshot('dashboard-engine-gone.png', LOOSELY);
});
