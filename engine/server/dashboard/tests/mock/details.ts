// What is told of one job on request, as the contract has it.

import type { Explanation, FlinkFacts, Job, PodsFacts, Snapshot } from '../../src/api/types';
import { iso } from './world';

function recordOf(job: Job): Snapshot['record'] {
  const { mode, state, confidence, reason, since, conditions, attempt, otherJobs, policy, revision, cluster, namespace, name } = job;
  return {
    key: { target: { cluster, namespace, name } }, mode, origin: 'discovered', state, confidence, reason, since, conditions, alerts: [], otherJobs, attention: 'active', policy, memory: '', revision,
    incarnation: { attempt, uidSeen: 'inThisAttempt' },
  };
}
const TIMING = { poll: 5, timeout: 3, validate: 60, retryInitial: 0.8, retryMax: 30, startupGrace: 0, terminalPoll: 60 };

export function explanationOf(job: Job, now: number): Explanation {
  const before = (age: number) => iso(now - age * 1000);
  const answered = <L>(latest: L, age: number) => ({ latest, ageSeconds: age, knownAgeSeconds: age, failures: 0, observedAt: before(age), askedAt: before(age), knownAt: before(age), unknownSince: null });
  const seen = <T>(present: T, age: number) => answered({ present }, age);
  const shown = { state: job.state, attempt: job.attempt, confidence: job.confidence, reason: job.reason };
  return {
    policy: job.policy,
    rule: {
      name: 'flink-lists-job', says: 'Flink lists the job: its word is the state, confirmed.',
      because: 'Only the JobManager knows the job\u2019s state (org.apache.flink.api.common.JobStatus); everything else is a guess about it.', changedBy: 'Flink\u2019s next answer.',
    },
    waitsFor: [{ look: 'flink', dueAt: iso(now + 2400) }, { look: 'checkpoints', dueAt: null }, { look: 'review', dueAt: iso(now + 41_000) }],
    shadows: [{
      policy: 'naive', job: job.id, differs: true, decided: { ...shown, policy: job.policy },
      shadow: { ...shown, state: 'FAILED', confidence: 'confirmed', reason: { code: 'Naive', message: 'connection refused' }, rule: 'error means gone' },
      since: iso(now - 61_000), judged: 412, differed: 31, failure: null, aspects: ['state', 'alerts', 'reason'],
      compared: {
        differences: [{ aspect: 'state', since: iso(now - 61_000), times: 31 }, { aspect: 'alerts', since: iso(now - 31_000), times: 12 }, { aspect: 'reason', since: iso(now - 61_000), times: 400 }],
        decided: { alerts: [], conditions: [], attention: 'active', pollAfterSeconds: 5, wanted: [] },
        shadow: { alerts: [{ name: 'JobFailed', scope: 'job', since: iso(now - 31_000), message: 'connection refused' }], conditions: [], attention: 'active', pollAfterSeconds: 5, wanted: [] },
      },
    }],
    snapshot: {
      now: iso(now), engineSince: iso(now - 9e7), record: recordOf(job), timing: TIMING,
      flink: seen({ id: job.flinkJobId ?? '', state: job.state, startedAt: job.since, endedAt: null, tasks: { total: 12, running: 12 } }, 2.1),
      deployment: seen({ name: job.name, namespace: job.namespace, uid: '711f6686-d0c4-8df7-2c24-41b72243e3d5', replicas: 1, ready: 1, deletingSince: null, rollout: 'settled' as const, trouble: null }, 14.2),
      pods: seen([{ name: `${job.name}-7f9c-jm1`, namespace: job.namespace, app: job.name, uid: '5e1c', phase: 'Running', ready: 'ready' as const, deletingSince: null, reason: null, unschedulable: null, container: { name: 'flink-main-container', restarts: 2, waiting: null, terminated: { reason: 'OOMKilled', exitCode: 137, at: iso(now - 5e6) } } }], 14.2),
      flinkResource: answered('absent' as const, 40),
      exceptions: null,
      checkpoints: seen({ completed: 1841, failed: 12 }, 22.4),
      taskManagers: {
        ...answered({ unknown: { kind: 'timeout' as const, message: '/api/v1/pods: no answer within 3 s' } }, 1.2),
        knownAgeSeconds: 74.5, failures: 3, knownAt: before(74.5), unknownSince: before(60),
      },
      events: null, lastWords: null, archive: null, haData: seen({ configMaps: [`${job.name}-cluster-config-map`] }, 300), deletion: null,
      fleet: { targets: 60, dark: 2 },
    },
    archiveConfigured: false,
    decision: {
      rule: 'flink-lists-job', state: job.state, confidence: job.confidence, reason: job.reason,
      alerts: [], conditions: [], memory: '', wanted: [], watch: { attention: 'active', pollAfter: 5, validateAfter: 60 },
    },
  };
}

const TRACE = `org.apache.flink.runtime.JobException: Recovery is suppressed by FixedDelayRestartBackoffTimeStrategy
\tat org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handleFailure(ExecutionFailureHandler.java:219)
\tat org.apache.flink.runtime.scheduler.DefaultScheduler.handleTaskFailure(DefaultScheduler.java:279)
Caused by: java.lang.IllegalStateException: the watermark of partition 3 went backwards
\tat com.example.orders.Join.processElement(Join.java:88)`;

export function flinkOf(job: Job, now: number): FlinkFacts {
  const vertex = (name: string, parallelism: number) => ({ id: name, name, parallelism, status: 'RUNNING', tasks: { RUNNING: parallelism }, durationSeconds: 93_600 });
  const history = Array.from({ length: 20 }, (_, at) => {
    const isFailed = at === 3 || at === 4;
    return { id: 1853 - at, status: isFailed ? 'FAILED' : 'COMPLETED', at: iso(now - at * 60_000), durationMillis: 1800 + ((at * 977) % 2900), sizeBytes: isFailed ? 0 : 734_003_200 + at * 1e7, isSavepoint: at === 9 };
  });
  return {
    askedAt: iso(now),
    job: { known: 'present', value: { id: job.flinkJobId ?? '', name: job.name, state: job.state, startedAt: job.startedAt ?? job.since, durationSeconds: 93_600, parallelism: 8, maxParallelism: 128, vertices: [vertex('Source: orders-topic', 8), vertex('Join with customers → Filter', 8), vertex('Sink: iceberg', 4)] } },
    checkpoints: {
      known: 'present', value: {
        counts: { completed: 1841, failed: 12, inProgress: 1, restored: 2 },
        latestCompleted: { id: 1853, at: iso(now - 20_000), sizeBytes: 734_003_200, durationMillis: 2310, path: 's3://flink-state/prod/orders/9c21/chk-1853', isSavepoint: false },
        latestFailed: { id: 1850, at: iso(now - 200_000), failureMessage: 'Checkpoint expired before completing.' },
        latestSavepoint: { id: 1844, at: iso(now - 560_000), path: 's3://flink-state/prod/orders/savepoint-7c67cd-1f', sizeBytes: 801_112_064, durationMillis: 4100, isSavepoint: true },
        history,
      },
    },
    exceptions: { known: 'present', value: { root: { headline: 'java.lang.IllegalStateException: the watermark of partition 3 went backwards', stackTrace: TRACE, at: iso(now - 3.7e6) }, history: [{ headline: 'java.util.concurrent.TimeoutException: Heartbeat of TaskManager tm-4 timed out', stackTrace: TRACE, at: iso(now - 5e6), task: 'Join (3/8)', endpoint: 'tm-4:6122' }], truncated: false } },
  };
}

export function podsOf(job: Job, now: number): PodsFacts {
  const container = { name: 'flink-main-container', restarts: 0, state: 'running' as const };
  const tm = (at: number) => ({ name: `${job.name}-taskmanager-1-${at}`, role: 'taskmanager' as const, phase: 'Running', ready: true, node: `node-${at + 3}`, restarts: 0, startedAt: iso(now - 9e7), containers: [container] });
  return {
    podsOmitted: 0,
    askedAt: iso(now),
    pods: { known: 'present', value: [{ name: `${job.name}-7f9c-jm1`, role: 'jobmanager', phase: 'Running', ready: true, node: 'node-1', restarts: 2, startedAt: iso(now - 9e7), containers: [{ ...container, restarts: 2, reason: 'OOMKilled', exitCode: 137 }] }, tm(1), tm(2)] },
    events: { known: 'present', value: [{ object: `Pod ${job.name}-7f9c-jm1`, reason: 'BackOff', message: 'Back-off restarting failed container flink-main-container', at: iso(now - 4.9e6), count: 4, type: 'Warning' }] },
  };
}

export const LOG = Array.from({ length: 200 }, (_, at) => `2026-11-28 03:${String(20 + Math.floor(at / 20)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')},117 ${at % 37 === 5 ? 'WARN ' : 'INFO '} org.apache.flink.runtime.checkpoint.CheckpointCoordinator [] - Completed checkpoint ${1650 + at} for job 7c67cd9f (734003200 bytes, 2310 ms).`).join('\n');
