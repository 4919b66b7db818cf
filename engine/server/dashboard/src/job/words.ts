// What an explanation shows as evidence, in the words of `steadfast explain`.

import type { Evidence, ExplainedPod, Explanation, JobEnd, Snapshot } from '../api/types';
import { span } from '../lib/time';
import type { Texts } from '../texts/en';

export type Source = keyof Texts['source'];

export interface EvidenceRow {
  source: Source;
  /** Seconds; null where an age makes no sense. */
  age: number | null;
  /** One line for each thing that was found. */
  lines: string[];
  isUnknown: boolean;
}

/** A span in seconds; below a minute with a tenth, since evidence is that young. */
export const age = (seconds: number, t: Texts): string => (seconds < 60 ? `${seconds.toFixed(1)}${t.units.second}` : span(seconds * 1000, t.units));

/** Numbers may be 0, which is something. */
const isTold = (value: number | null | undefined): value is number => value !== null && value !== undefined;

function answer<T>(evidence: Evidence<T>, t: Texts, render: (value: T) => string[]): string[] {
  const { latest } = evidence;
  if (latest === 'absent') return [t.answer.absent];
  if ('present' in latest) {
    const lines = render(latest.present);
    return lines.length === 0 ? [t.answer.none] : lines;
  }
  const known = isTold(evidence.knownAgeSeconds) ? t.answer.lastKnown(age(evidence.knownAgeSeconds, t)) : t.answer.neverKnown;
  return [t.answer.unknown(evidence.failures, known, latest.unknown.message)];
}

function pod(one: ExplainedPod, t: Texts): string {
  const { container } = one;
  return [
    `${one.name} ${one.phase}`,
    one.ready === 'ready' ? t.answer.ready : t.answer.notReady,
    one.deletingSince ? t.answer.going : null,
    one.reason,
    one.unschedulable,
    container && container.restarts > 0 ? t.answer.restarts(container.restarts) : null,
    container?.waiting?.reason,
    container?.terminated ? t.answer.lastEnded(container.terminated.reason, container.terminated.exitCode) : null,
  ].filter(Boolean).join(', ');
}

const end = (one: JobEnd, t: Texts): string[] => [`${t.answer.end(one.job, one.state)}${one.endedAt ? ` (${one.endedAt})` : ''}${one.cause ? `: ${one.cause}` : ''}`];

/** The evidence in a fixed order, and which sources were never asked. */
export function evidenceOf(explanation: Explanation, t: Texts, at: (moment: string) => string): { rows: EvidenceRow[]; neverAsked: Source[] } {
  const { snapshot } = explanation;
  const rows: EvidenceRow[] = [];
  const neverAsked: Source[] = [];
  const add = <T>(source: Source, evidence: Evidence<T> | null | undefined, render: (value: T) => string[]): void => {
    if (!evidence) {
      neverAsked.push(source);
      return;
    }
    const isUnknown = typeof evidence.latest === 'object' && 'unknown' in evidence.latest;
    rows.push({ source, age: evidence.ageSeconds, lines: answer(evidence, t, render), isUnknown });
  };
  fromFlink(snapshot, t, at, add);
  fromKubernetes(snapshot, t, at, add);
  add('events', snapshot.events, (events) => events.map((event) => `${event.object}: ${event.reason}: ${event.message}`));
  add('lastWords', snapshot.lastWords, (one) => end(one, t));
  if (explanation.archiveConfigured === false) rows.push({ source: 'archive', age: null, lines: [t.answer.notConfigured], isUnknown: false });
  else add('archive', snapshot.archive, (one) => end(one, t));
  add('haData', snapshot.haData, (data) => (data.configMaps.length === 0 ? [] : [data.configMaps.join(', ')]));
  const { deletion } = snapshot;
  if (deletion) rows.push({ source: 'deletion', age: null, lines: [t.answer.deletion(deletion.uid, at(deletion.seenAt))], isUnknown: false });
  return { rows, neverAsked };
}

type Add = <T>(source: Source, evidence: Evidence<T> | null | undefined, render: (value: T) => string[]) => void;

function fromFlink(snapshot: Snapshot, t: Texts, at: (moment: string) => string, add: Add): void {
  add('flink', snapshot.flink, (job) => [
    t.answer.flink(job.state, at(job.startedAt), job.endedAt ? at(job.endedAt) : null, job.tasks.running, job.tasks.total),
  ]);
  add('exceptions', snapshot.exceptions, (exception) => [exception.headline]);
  add('checkpoints', snapshot.checkpoints, (counts) => [t.answer.checkpoints(counts.completed, counts.failed)]);
}

function fromKubernetes(snapshot: Snapshot, t: Texts, at: (moment: string) => string, add: Add): void {
  add('deployment', snapshot.deployment, (one) => [
    [
      t.answer.deployment(one.ready, one.replicas),
      one.deletingSince ? t.answer.deleting(at(one.deletingSince)) : null,
      one.rollout === 'in-progress' ? t.answer.rollout : null,
      one.trouble,
    ].filter(Boolean).join(', '),
  ]);
  add('pods', snapshot.pods, (pods) => pods.map((one) => pod(one, t)));
  add('taskManagers', snapshot.taskManagers, (pods) => pods.map((one) => pod(one, t)));
  add('flinkResource', snapshot.flinkResource, (one) => [
    [
      `${one.kind} ${one.name}`,
      t.answer.wants(one.desired),
      one.reportedState ? t.answer.reports(one.reportedState) : null,
      one.lifecycle,
      one.error,
    ].filter(Boolean).join(', '),
  ]);
}
