import { describe, expect, it } from 'vitest';
import type { HistoryItem, Job } from '../api/types';
import { job, story } from '../../tests/mock/world';
import { knownAt, ticks, timelineOf, within, zoomed } from './timeline';

const MINUTE = 60_000;
const now = Date.parse('2026-11-28T04:00:00Z');
const id = 'local/default/orders';
const failing = { alert: 'CheckpointsFailing', scope: 'job' as const, since: new Date(now - 6 * MINUTE).toISOString(), message: '12 checkpoints in a row have failed' };
const present = (more: Partial<Job> = {}): Job => job(id, { attempt: 3, alerts: [failing], ...more }, now);
const told = timelineOf(story(id, now), present(), now);

describe('timelineOf', () => {
  it('makes spans without gaps of transitions, in any order of entries', () => {
    expect(timelineOf(story(id, now).reverse(), present(), now)).toEqual(told);
    for (const [at, span] of told.spans.entries()) {
      const next = told.spans[at + 1];
      if (next) expect(span.to).toBe(next.from);
      expect(span.isOpen).toBe(next === undefined);
    }
    expect(told.spans.at(-1)).toMatchObject({ state: 'RUNNING', confidence: 'confirmed', to: now, attempt: 3 });
  });

  it('tells where a state was not confirmed', () => {
    const stale = told.spans.filter((span) => span.confidence === 'stale');
    expect(stale).toMatchObject([{ state: 'RUNNING', from: now - 22 * MINUTE, to: now - 15 * MINUTE }]);
  });

  it('marks attempts and intents', () => {
    expect(told.marks.map((mark) => `${mark.kind} ${mark.label}`)).toEqual(['attempt 2', 'attempt 3', 'intent savepoint']);
  });

  it('ends alerts where they were resolved, and leaves others open', () => {
    expect(told.alerts).toMatchObject([
      { alert: 'RestartLoop', from: now - 58 * MINUTE, to: now - 44 * MINUTE, isOpen: false },
      { alert: 'CheckpointsFailing', to: now, isOpen: true },
    ]);
  });

  it('knows an alert whose beginning is older than what is kept', () => {
    const items = story(id, now).filter((item) => item.alert?.status !== 'firing');
    expect(timelineOf(items, present({ alerts: [] }), now).alerts).toMatchObject([{ alert: 'RestartLoop', from: now - 58 * MINUTE, to: now - 44 * MINUTE }]);
  });

  describe('of an alert that jobs share', () => {
    const dark = (job: string, status: 'firing' | 'resolved', ago: number): HistoryItem => ({
      sequence: 200 - ago, at: new Date(now - ago * MINUTE).toISOString(), job, kind: 'alert', revision: 1,
      alert: { alert: 'KubernetesUnreachable', job, scope: 'cluster', status, since: new Date(now - 30 * MINUTE).toISOString(), message: 'refused' },
    });
    const shared = (timeline: ReturnType<typeof timelineOf>) => timeline.alerts.filter((one) => one.alert === 'KubernetesUnreachable');

    it('leaves out the beginning whose end another job tells of', () => {
      const told = timelineOf([...story(id, now), dark(id, 'firing', 30)], present(), now);
      expect(shared(told)).toEqual([]);
      expect(knownAt(told, now - 10 * MINUTE).alerts).toEqual([]);
    });

    it('shows it open for as long as the record has it', () => {
      const alerts = [{ alert: 'KubernetesUnreachable', scope: 'cluster' as const, since: new Date(now - 30 * MINUTE).toISOString(), message: 'refused' }];
      expect(shared(timelineOf([dark(id, 'firing', 30)], present({ alerts }), now))).toMatchObject([{ isOpen: true, from: now - 30 * MINUTE, to: now }]);
      expect(shared(timelineOf([], present({ alerts }), now))).toMatchObject([{ isOpen: true, from: now - 30 * MINUTE }]);
    });

    it('has its end where this job tells of it, whoever told of the beginning', () => {
      expect(shared(timelineOf([dark(id, 'resolved', 5)], present(), now))).toMatchObject([{ isOpen: false, from: now - 30 * MINUTE, to: now - 5 * MINUTE }]);
    });
  });

  describe('of an outage after another', () => {
    const iso = (ago: number): string => new Date(now - ago * MINUTE).toISOString();
    const told = (status: 'firing' | 'resolved', ago: number, since: number, scope: 'job' | 'cluster' = 'cluster'): HistoryItem => ({
      sequence: 2000 - ago, at: iso(ago), job: id, kind: 'alert', revision: 1, alert: { alert: 'Dark', job: id, scope, status, since: iso(since), message: 'refused' },
    });
    const dark = (items: HistoryItem[], since: number | null, scope: 'job' | 'cluster' = 'cluster') =>
      timelineOf(items, present({ alerts: since === null ? [] : [{ alert: 'Dark', scope, since: iso(since), message: 'refused' }] }), now).alerts.map(({ from, to, isOpen }) => [(now - from) / MINUTE, (now - to) / MINUTE, isOpen]);
    // Another job tells when the outage of 60 minutes ago ended.
    const first = told('firing', 60, 60);

    it('fastens no beginning to the end of another', () => {
      expect(dark([first, told('firing', 40, 40), told('resolved', 38, 40)], null)).toEqual([[40, 38, false]]);
      expect(dark([first, told('resolved', 38, 40)], null)).toEqual([[40, 38, false]]);
      expect(dark([first, told('firing', 40, 40)], null)).toEqual([]);
    });

    it('shows the one that the record has since it began', () => {
      expect(dark([first], 2)).toEqual([[2, 0, true]]);
      expect(dark([first, told('firing', 40, 40), told('resolved', 38, 40)], 2)).toEqual([[40, 38, false], [2, 0, true]]);
      expect(knownAt(timelineOf([first], present({ alerts: [{ alert: 'Dark', scope: 'cluster', since: iso(2), message: '' }] }), now), now - 30 * MINUTE).alerts).toEqual([]);
    });

    it('shows none while the record is not known, nor up to the moment when the job is forgotten', () => {
      expect(timelineOf([first], null, now).alerts).toEqual([]);
      const gone: HistoryItem = { sequence: 3000, at: iso(1), job: id, kind: 'forgotten', revision: 9 };
      expect(timelineOf([first, gone], null, now).alerts).toEqual([]);
    });

    it('ends one of the job alone with the last entry in front of the one that told its end', () => {
      const items = [told('firing', 60, 60, 'job'), { ...told('firing', 40, 40, 'job'), kind: 'update' as const, alert: null }, told('firing', 10, 10, 'job')];
      expect(timelineOf(items, present({ alerts: [] }), now, [{ sequence: 1980 }]).alerts).toMatchObject([{ from: now - 60 * MINUTE, to: now - 40 * MINUTE, isOpen: false }, { from: now - 10 * MINUTE, isOpen: false }]);
    });
  });

  it('leaves none of a job’s own alerts open that the record lacks', () => {
    const cleared = timelineOf(story(id, now), present({ alerts: [] }), now).alerts.filter((one) => one.isOpen);
    expect(cleared).toEqual([]);
    const gone: HistoryItem = { sequence: 99, at: new Date(now - MINUTE).toISOString(), job: id, kind: 'forgotten', revision: 9 };
    expect(timelineOf([...story(id, now), gone], null, now).alerts).toMatchObject([{}, { alert: 'CheckpointsFailing', to: now - MINUTE, isOpen: false }]);
  });

  it('shows what stands now where the history does not tell of it', () => {
    const lost = timelineOf(story(id, now), present({ confidence: 'stale', confirmedAt: new Date(now - 3 * MINUTE).toISOString() }), now);
    expect(lost.spans.slice(-2)).toMatchObject([{ confidence: 'confirmed', to: now - 3 * MINUTE }, { confidence: 'stale', from: now - 3 * MINUTE, to: now }]);
    const alone = timelineOf([], present(), now);
    expect(alone.spans).toMatchObject([{ state: 'RUNNING', from: Date.parse(present().since), isOpen: true }]);
  });

  it('ends where a job was forgotten', () => {
    const items: HistoryItem[] = [...story(id, now), { sequence: 99, at: new Date(now - MINUTE).toISOString(), job: id, kind: 'forgotten', revision: 9 }];
    const gone = timelineOf(items, null, now);
    expect(gone.spans.at(-1)).toMatchObject({ to: now - MINUTE, isOpen: false });
    expect(knownAt(gone, now).span).toBeNull();
  });
});

describe('an entry that does not read', () => {
  const failed = present({ state: 'FAILED', since: new Date(now - 2 * MINUTE).toISOString() });

  it('leaves a gap up to what is told next', () => {
    // Between the second restart and the run after it, and at the end.
    const gone = timelineOf(story(id, now).filter((item) => item.sequence !== 5), present(), now, [{ sequence: 5 }]);
    expect(gone.gaps).toEqual([{ from: now - 81 * MINUTE, to: now - 49 * MINUTE }]);
    expect(knownAt(gone, now - 60 * MINUTE)).toMatchObject({ span: null, gap: gone.gaps[0] });
    expect(knownAt(gone, now - 82 * MINUTE).span).toMatchObject({ state: 'RESTARTING' });
    expect(knownAt(gone, now - 48 * MINUTE).span).toMatchObject({ state: 'RUNNING', attempt: 3 });
  });

  it('ends the last state where it is lost, and the present begins where the record says', () => {
    const lost = timelineOf(story(id, now), failed, now, [{ sequence: 99 }]);
    expect(lost.gaps).toEqual([{ from: now - 6 * MINUTE, to: now - 2 * MINUTE }]);
    expect(lost.spans.slice(-2)).toMatchObject([{ state: 'RUNNING', to: now - 6 * MINUTE, isOpen: false }, { state: 'FAILED', from: now - 2 * MINUTE, to: now }]);
    expect(knownAt(lost, now - 3 * MINUTE).span).toBeNull();
  });

  it('is no gap where the record says that its state is older', () => {
    const lost = timelineOf(story(id, now), present({ since: new Date(now - 34 * MINUTE).toISOString() }), now, [{ sequence: 99 }]);
    expect(lost.gaps).toEqual([]);
    expect(lost).toEqual(timelineOf(story(id, now), present({ since: new Date(now - 34 * MINUTE).toISOString() }), now));
    expect(knownAt(lost, now - 3 * MINUTE).span).toMatchObject({ state: 'RUNNING' });
  });

  it('leaves it open how certain such a state was until an entry tells it', () => {
    const since = new Date(now - 34 * MINUTE).toISOString();
    const some = story(id, now).filter((item) => item.sequence !== 12);
    const lost = timelineOf(some, present({ since }), now, [{ sequence: 12 }]);
    expect(lost.gaps).toEqual([{ from: now - 34 * MINUTE, to: now - 15 * MINUTE }]);
    expect(lost.spans.slice(-1)).toMatchObject([{ state: 'RUNNING', confidence: 'confirmed', from: now - 15 * MINUTE, to: now }]);
    const stale = timelineOf(story(id, now), present({ since, confidence: 'stale' }), now, [{ sequence: 99 }]);
    expect(knownAt(stale, now - MINUTE)).toMatchObject({ span: null, gap: { to: now } });
  });

  it('is not drawn on where the record has another state without an entry that tells it', () => {
    const behind = timelineOf(story(id, now), failed, now);
    expect(behind.spans.slice(-2)).toMatchObject([{ state: 'RUNNING', to: now - 2 * MINUTE, isOpen: false }, { state: 'FAILED', from: now - 2 * MINUTE, isOpen: true }]);
    expect(knownAt(behind, now - MINUTE).span).toMatchObject({ state: 'FAILED' });
  });
});

describe('knownAt', () => {
  it('tells what was known then, not what is known now', () => {
    const then = knownAt(told, now - 50 * MINUTE);
    expect(then.span).toMatchObject({ state: 'RESTARTING', attempt: 2 });
    expect(then.alerts.map((alert) => alert.alert)).toEqual(['RestartLoop']);
    expect(then.intent).toBeNull();
    expect(knownAt(told, now - 35 * MINUTE).intent?.label).toBe('savepoint');
    expect(knownAt(told, now - 300 * MINUTE).span).toBeNull();
  });
});

describe('the state of a moment whose confidence changed meanwhile', () => {
  const then = (ago: number) => knownAt(told, now - ago * MINUTE);

  it('stands since it began, not since its confidence changed', () => {
    expect(then(20).span).toMatchObject({ confidence: 'stale', from: now - 22 * MINUTE, since: now - 34 * MINUTE });
    expect(then(10).span).toMatchObject({ confidence: 'confirmed', from: now - 15 * MINUTE, since: now - 34 * MINUTE });
    expect(then(30).span).toMatchObject({ from: now - 34 * MINUTE, since: now - 34 * MINUTE });
  });

  it('has the reason of before, and says so, until the record tells another', () => {
    expect(then(30).reason).toMatchObject({ isThen: true, reason: { code: 'Story' } });
    expect(then(20).reason).toMatchObject({ isThen: false, from: now - 34 * MINUTE, reason: { code: 'Story' } });
    // What the record says is so since its last entry.
    expect(then(10).reason).toMatchObject({ isThen: false });
    expect(then(5).reason).toMatchObject({ isThen: true, reason: { code: 'FlinkReports' } });
  });

  it('has another reason since the entry of another commit, which does not tell it, not since one of the same', () => {
    const at = new Date(now - 10 * MINUTE).toISOString();
    const turn: HistoryItem = { sequence: 1, at: new Date(now - 20 * MINUTE).toISOString(), job: id, kind: 'transition', revision: 7, transition: { sequence: 1, at, from: 'UNKNOWN', to: 'RUNNING', confidence: 'confirmed', attempt: 1, policy: 'p', reason: { code: 'First', message: '' } } };
    const update = (revision: number): HistoryItem => ({ sequence: 2, at, job: id, kind: 'update', revision, confidence: 'confirmed' });
    const newer = present({ attempt: 1, alerts: [], revision: 99 });
    const of = (revision: number) => knownAt(timelineOf([turn, update(revision)], newer, now), now - 5 * MINUTE).reason;
    expect(of(8)).toMatchObject({ isThen: false, reason: { code: 'First' } });
    expect(of(7)).toMatchObject({ isThen: true, reason: { code: 'First' } });
    expect(knownAt(timelineOf([update(8)], newer, now), now - MINUTE).reason).toBeNull();
  });
});

describe('ranges', () => {
  const bounds = { from: 0, to: 100_000 };
  it('stay within what there is', () => {
    expect(within({ from: -20_000, to: 10_000 }, bounds)).toEqual({ from: 0, to: 30_000 });
    expect(within({ from: 90_000, to: 120_000 }, bounds)).toEqual({ from: 70_000, to: 100_000 });
    expect(within({ from: -5, to: 900_000 }, bounds)).toEqual(bounds);
  });
  it('are zoomed around a point that stays where it is', () => {
    const near = zoomed(bounds, 25_000, 0.5, bounds);
    expect((25_000 - near.from) / (near.to - near.from)).toBeCloseTo(0.25);
    expect(zoomed(near, 25_000, 1e-9, bounds).to - zoomed(near, 25_000, 1e-9, bounds).from).toBe(2000);
    expect(zoomed(near, 25_000, 99, bounds)).toEqual(bounds);
  });
  it('have round marks, few enough to be read', () => {
    const marks = ticks({ from: now - 123 * MINUTE, to: now }, 12);
    expect(marks.at.length).toBeLessThanOrEqual(13);
    for (const at of marks.at) expect(at % marks.step).toBe(0);
    expect(ticks({ from: 0, to: 4e12 }, 5).step).toBe(365 * 86_400_000);
  });
});
