import { expect, it } from 'vitest';
import { explanationOf } from '../../tests/mock/details';
import { job } from '../../tests/mock/world';
import { en } from '../texts/en';
import { evidenceOf } from './words';

const now = Date.parse('2026-11-28T04:00:00Z');

it('says what was seen as `steadfast explain` does', () => {
  const { rows, neverAsked } = evidenceOf(explanationOf(job('local/default/orders', {}, now), now), en, (moment) => moment);
  const said = Object.fromEntries(rows.map((row) => [en.source[row.source], row.lines]));
  expect(said).toMatchObject({
    Flink: ['RUNNING, started 2026-11-27T02:00:00.000Z, 12 of 12 tasks run'],
    Deployment: ['1 of 1 replicas ready'],
    'JobManager pods': ['orders-7f9c-jm1 Running, ready, 2 restarts, last ended OOMKilled (137)'],
    'operator’s resource': ['absent: a complete answer lacks it'],
    checkpoints: ['1841 completed, 12 failed'],
    'TaskManager pods': ['unknown, 3 looks in a row, last known 1m 15s ago: /api/v1/pods: no answer within 3 s'],
    archive: ['none is configured (archive, history_server, job_result_store)'],
  });
  expect(neverAsked.map((source) => en.source[source])).toEqual(['exceptions', 'events', 'last words']);
  expect(rows.filter((row) => row.isUnknown).map((row) => row.source)).toEqual(['taskManagers']);
});
