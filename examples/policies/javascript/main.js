// A small policy to start from: Flink's word counts, an error changes nothing, and gone takes more than one look.
// Moments and durations are BigInts of milliseconds; an option that is not there is undefined.

const ENDED = ['failed', 'canceled', 'finished', 'lost', 'terminated'];
const ALERTS = { failed: 'JobFailed', lost: 'JobLost' };
const UNITS = { ms: 1n, s: 1000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n };

let params = { absenceConfirmations: 2, unreachableAfter: 15_000n };

const parameter = (name, kind, fallback, help) => ({ name, kind, default: fallback, help });
const PARAMETERS = [
  parameter('absence_confirmations', 'integer', '2', 'answers in a row that must lack a job before it is lost'),
  parameter('unreachable_after', 'duration', '"15s"', 'time without an answer before a condition says so'),
];

/**
 * Says what the policy is and which parameters it takes.
 * @type {typeof import('./bindings/policy').describe}
 */
export function describe() {
  const rule = (name, says, because, changedBy) => ({ name, says, because, changedBy });
  return {
    name: 'starter',
    version: '0.1.0',
    summary: "Flink's word counts, an error changes nothing.",
    parameters: PARAMETERS,
    rules: [
      rule('flink', 'Flink lists the job: its word is the state', 'the cluster that runs a job knows it best',
        'another answer of Flink'),
      rule('ended', 'the job has ended and Flink no longer lists it: the end stands',
        'a Flink cluster may forget a job that has ended, and may go', 'Flink listing the job again'),
      rule('starting', 'the job was not seen to run in this attempt, and its Deployment is new, not ready, or its Flink does not list it: it is starting',
        'a JobManager answers some time after its Deployment was made, and lists its job some time after that', 'Flink listing the job'),
      rule('unseen', 'nothing has shown the job in this attempt yet: the state stays, stale',
        "what was not seen cannot be gone: after a redeployment, Flink's last answer is about the run before",
        'the Deployment, or Flink listing the job'),
      rule('unknown', 'Flink gave no answer that can be used: the state stays, stale',
        'an error says nothing about the job', "Flink's next answer"),
      rule('missing', 'fewer than `absence_confirmations` complete answers lack the job: the state stays, stale',
        'one answer may come from a JobManager that is still recovering', 'more such answers, or Flink listing it'),
      rule('lost', '`absence_confirmations` complete answers lack the job: it is lost',
        'a cluster that answers and does not know a job does not run it', 'Flink listing the job again'),
    ],
  };
}

/** Takes the parameters. Refuses what it does not know, by name: a mistake must not pass for a default. */
export function configure(text) {
  for (const [key, value] of Object.entries(JSON.parse(text))) {
    if (key === 'absence_confirmations') {
      if (!Number.isInteger(value) || value < 1) throw 'absence_confirmations is not a whole number of 1 or more';
      params.absenceConfirmations = value;
    } else if (key === 'unreachable_after') {
      // One number with its unit after the other, as in 4h59m.
      const read = typeof value === 'string' && /^([0-9]{1,9}(ms|s|m|h|d))+$/.test(value);
      if (!read) throw 'unreachable_after is not a duration such as "15s" (units: ms, s, m, h, d)';
      const parts = [...value.matchAll(/([0-9]+)(ms|s|m|h|d)/g)];
      params.unreachableAfter = parts.reduce((sum, [, number, unit]) => sum + BigInt(number) * UNITS[unit], 0n);
    } else {
      throw `there is no parameter \`${key}\`; known are ${PARAMETERS.map(({ name }) => name).join(', ')}`;
    }
  }
}

/**
 * Judges one snapshot.
 * @type {typeof import('./bindings/policy').decide}
 */
export function decide(snapshot, memory) {
  const { timing } = snapshot;
  const judged = judge(snapshot, memory);
  return {
    memory: new Uint8Array(),
    ...judged,
    watch: {
      pollAfter: ENDED.includes(judged.state) ? timing.terminalPoll : timing.poll,
      validateAfter: timing.validate,
      attention: 'active',
    },
    wanted: [],
    conditions: conditions(snapshot, judged.state),
    alerts: alerts(snapshot, judged.state, judged.reason),
  };
}

/** Evidence is present, absent or unknown, and every error is unknown: never mix them up. */
function judge({ job, flink, deployment }, memory) {
  const { state } = job;
  const answer = flink?.answer;
  if (answer?.tag === 'present') {
    return judgement(answer.val.state, 'confirmed', 'flink', 'Flink', 'Flink lists the job');
  }
  if (job.incarnation.startedAt === undefined) {
    return isStarting({ job, flink, deployment })
      ? judgement('starting', 'inferred', 'starting', 'Starting', 'the Deployment is there, and Flink does not list the job yet')
      : judgement(state, 'stale', 'unseen', 'Unseen', 'nothing has shown the job in this attempt yet');
  }
  if (ENDED.includes(state)) {
    return { state, confidence: job.confidence, rule: 'ended', reason: job.reason };
  }
  if (answer?.tag === 'absent') {
    const count = countAbsence(flink, memory);
    const needed = params.absenceConfirmations;
    const told = count >= needed
      ? judgement('lost', 'inferred', 'lost', 'Lost', `${needed} complete answers of Flink lack the job`)
      : judgement(state, 'stale', 'missing', 'Missing', `${count} of ${needed} complete answers of Flink lack the job`);
    return { ...told, memory: new TextEncoder().encode(`${count} ${flink.looks.askedAt}`) };
  }
  const why = answer ? `Flink gives no answer: ${answer.val.message}` : 'Flink has not been asked yet';
  return { ...judgement(state, 'stale', 'unknown', 'FlinkUnknown', why), memory };
}

function judgement(state, confidence, rule, code, message) {
  return { state, confidence, rule, reason: { code, message } };
}

/** How many looks lacked the job. One answer may be judged many times; it counts once. */
function countAbsence({ looks }, memory) {
  const [, count = 0, askedAt] = /^([0-9]{1,9}) (-?[0-9]+)$/.exec(new TextDecoder().decode(memory)) ?? [];
  return askedAt === String(looks.askedAt) ? Number(count) : Number(count) + 1;
}

/** Whether a start is seen: a job that is met for the first time may have run for days while its Flink is silent. */
function isStarting({ job, flink, deployment }) {
  if (deployment?.answer.tag !== 'present') return false;
  const { ready, replicas } = deployment.answer.val;
  return job.incarnation.attempt > 1 || flink?.answer.tag === 'absent' || ready < replicas;
}

/** One for each source that has given no answer for too long. */
function conditions({ now, flink, deployment }, state) {
  if (ENDED.includes(state)) return [];
  return [['flink-unreachable', flink], ['kubernetes-unreachable', deployment]]
    .filter(([, evidence]) => {
      const since = evidence?.answer.tag === 'unknown' ? evidence.looks.unknownSince : undefined;
      return since !== undefined && now - since >= params.unreachableAfter;
    })
    .map(([kind, { answer }]) => ({ kind, message: answer.val.message }));
}

/** An end that nobody wanted is told, as long as it stands. */
function alerts({ job }, state, reason) {
  const name = ALERTS[state];
  if (!name || intended(job, 'cancel')) return [];
  return [{ name, scope: 'job', message: reason.message }];
}

/** Whether it was posted in this attempt. */
function intended({ intent, incarnation, since }, wanted) {
  return intent?.intent === wanted && intent.since >= (incarnation.since ?? since);
}
