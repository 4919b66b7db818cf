// What the policy concludes, natively: `npm test`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { configure, decide } from './main.js';

const NOW = 1_767_225_600_000n;
const HOUR = NOW - 3_600_000n;

/**
 * A job that ran since an hour, and what Flink says of it now. The record's fields may be said otherwise.
 * @returns {import('./bindings/policy').Snapshot}
 */
function snapshot(answer, askedAt = NOW, record = {}) {
  return {
    now: NOW,
    engineSince: HOUR,
    job: {
      cluster: 'local', namespace: 'default', name: 'orders', mode: 'application', labels: [],
      state: 'running', confidence: 'confirmed', reason: { code: 'Flink', message: '' }, since: HOUR, confirmedAt: HOUR,
      incarnation: { attempt: 1, flinkJobId: '0'.repeat(32), startedAt: HOUR, since: HOUR },
      conditions: [], alerts: [], revision: 1n, ...record,
    },
    flink: {
      looks: { askedAt, observedAt: askedAt, knownAt: askedAt, unknownSince: answer.tag === 'unknown' ? askedAt : undefined, failures: 0 },
      answer,
    },
    fleet: { targets: 1, dark: 0 },
    timing: {
      poll: 5_000n, timeout: 3_000n, validate: 60_000n, retryInitial: 800n, retryMax: 30_000n, startupGrace: 0n, terminalPoll: 60_000n,
    },
  };
}

configure('{}');
const nothing = new Uint8Array();

test('an error changes nothing', () => {
  const timeout = { tag: 'unknown', val: { kind: 'timeout', message: 'no answer within 3 s' } };
  const decision = decide(snapshot(timeout), nothing);
  assert.deepEqual([decision.state, decision.confidence], ['running', 'stale']);
});

test('a job is lost after the second answer without it', () => {
  const first = decide(snapshot({ tag: 'absent' }, NOW - 5_000n), nothing);
  assert.deepEqual([first.state, first.rule], ['running', 'missing']);
  const second = decide(snapshot({ tag: 'absent' }), first.memory);
  assert.equal(second.state, 'lost');
  assert.deepEqual(second.alerts.map((alert) => alert.name), ['JobLost']);
});

test('nothing is lost before it was seen to run', () => {
  const incarnation = { attempt: 2, deploymentUid: 'u2', since: NOW - 60_000n };
  let memory = nothing;
  for (const ago of [20_000n, 10_000n, 0n]) {
    const decision = decide(snapshot({ tag: 'absent' }, NOW - ago, { incarnation }), memory);
    memory = decision.memory;
    assert.equal(decision.rule, 'unseen');
  }
});
