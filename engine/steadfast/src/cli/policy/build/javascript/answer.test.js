// What an answer of the wrong type is told. ../javascript.rs plays it, with the contract's shapes in SHAPES.
import assert from 'node:assert/strict';
import test from 'node:test';
import { checked } from './answer.js';

const SHAPES = JSON.parse(process.env.SHAPES);
const RIGHT = {
  state: 'running',
  confidence: 'confirmed',
  reason: { code: 'Flink', message: 'Flink lists the job' },
  rule: 'flink',
  watch: { pollAfter: 5_000n, validateAfter: 60_000n, attention: 'active' },
  wanted: [{ source: 'ha-data', observedAfter: -1n }],
  conditions: [{ kind: 'flink-unreachable', message: '' }],
  alerts: [{ name: 'JobStuck', scope: 'job', message: '' }],
  memory: new Uint8Array([1, 2]),
};
const told = (answer, call = 'decide') => {
  try {
    checked(call, answer, SHAPES[call]);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
};

test('what the contract asks for is taken', () => {
  assert.equal(told(RIGHT), undefined);
  assert.equal(told({ ...RIGHT, memory: new Uint8Array(), wanted: [], conditions: [], alerts: [] }), undefined);
  assert.equal(told(undefined, 'configure'), undefined);
});

test('what it does not is told by name, with what would do', () => {
  const { memory: _, ...forgetful } = RIGHT;
  const { attention: __, ...restless } = RIGHT.watch;
  for (const [answer, begins] of [
    [undefined, 'the answer is undefined; an object of state, confidence, reason, rule, watch, '],
    [Promise.resolve(RIGHT), 'the answer is of the type Promise; a policy answers at once'],
    [{ ...RIGHT, state: 'runing' }, "state is 'runing'; one of 'created', 'initializing', 'running', "],
    [{ ...RIGHT, state: 'RUNNING' }, "state is 'RUNNING'; one of "],
    [{ ...RIGHT, reason: 'Flink' }, "reason is 'Flink'; an object of code, message"],
    [{ ...RIGHT, reason: { code: 'Flink', message: 5 } }, 'reason.message is 5; a text'],
    [{ ...RIGHT, watch: { ...RIGHT.watch, pollAfter: 5000 } }, 'watch.pollAfter is 5000; a BigInt of 0 or more'],
    [{ ...RIGHT, watch: { ...RIGHT.watch, pollAfter: -5n } }, 'watch.pollAfter is -5n; a BigInt of 0 or more'],
    [{ ...RIGHT, watch: restless }, "watch.attention is undefined; one of 'active', 'sleeping'"],
    [{ ...RIGHT, wanted: [{ source: 'ha-data', observedAfter: 2n ** 63n }] }, 'wanted[0].observedAfter is 9223372036854775808n; a BigInt'],
    [{ ...RIGHT, alerts: ['JobStuck'] }, "alerts[0] is 'JobStuck'; an object of name, scope, message"],
    [{ ...RIGHT, alerts: [...RIGHT.alerts, { ...RIGHT.alerts[0], scope: 'Job' }] }, "alerts[1].scope is 'Job'; one of 'job', 'cluster'"],
    [{ ...RIGHT, conditions: undefined }, 'conditions is undefined; an array'],
    [forgetful, 'memory is undefined; a Uint8Array'],
    [{ ...RIGHT, memory: 'text' }, "memory is 'text'; a Uint8Array"],
    [{ ...RIGHT, memory: { a: 1 } }, 'memory is an object of a; a Uint8Array'],
    [{ ...RIGHT, memory: [1, 2] }, 'memory is an array; a Uint8Array'],
    [{ ...RIGHT, memory: new ArrayBuffer(2) }, 'memory is of the type ArrayBuffer; a Uint8Array'],
  ]) {
    const found = told(answer);
    assert.ok(found?.startsWith(`decide: ${begins}`), `${found}`);
  }
  assert.match(told({ name: 'mine' }, 'describe'), /^describe: version is undefined; a text$/);
  assert.match(told(Promise.resolve(), 'configure'), /^configure: the answer is of the type Promise; /);
});
