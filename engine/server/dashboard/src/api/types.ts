// The shapes of the HTTP API, as `/openapi.json` describes them. What is optional here is left out by the engine where it has
// nothing to say, or not known to an earlier one.

export const STATES = [
  'CREATED', 'INITIALIZING', 'RUNNING', 'FAILING', 'FAILED', 'CANCELLING', 'CANCELED', 'FINISHED', 'RESTARTING', 'SUSPENDED',
  'RECONCILING', 'UNKNOWN', 'STARTING', 'SAVEPOINTING', 'LOST', 'TERMINATED',
] as const;
export type State = (typeof STATES)[number];

export type Confidence = 'confirmed' | 'inferred' | 'stale';

/** Worst first. */
export const SEVERITIES = ['alerting', 'failed', 'degraded', 'unconfirmed', 'changing', 'running', 'ended'] as const;
export type Severity = (typeof SEVERITIES)[number];

export type Scope = 'job' | 'cluster' | 'policy';
export type IntentWord = 'start' | 'cancel' | 'savepoint' | 'none';

export interface Reason {
  code: string;
  message: string;
}

export interface Condition {
  type: string;
  since: string;
  message: string;
}

export interface StandingAlert {
  alert: string;
  scope: Scope;
  since: string;
  message: string;
  silencedUntil?: string | null;
}

export interface Silence {
  alert: string;
  until: string;
  by?: string | null;
  comment?: string | null;
  since: string;
}

export interface Link {
  name: string;
  url: string;
}

export interface Job {
  id: string;
  cluster: string;
  namespace: string;
  name: string;
  sessionJob?: string;
  mode: 'application' | 'session' | 'standalone';
  flinkJobId: string | null;
  attempt: number;
  state: State;
  confidence: Confidence;
  severity: Severity;
  reason: Reason;
  since: string;
  firstSeen: string;
  startedAt: string | null;
  confirmedAt: string | null;
  conditions: Condition[];
  alerts: StandingAlert[];
  watch: {
    attention: 'active' | 'sleeping';
    nextPollAt: string | null;
    nextReviewAt: string | null;
    failures: number;
    unwrittenSince?: string;
  };
  policy: string;
  revision: number;
  otherJobs: { flinkJobId: string; state: State }[];
  otherJobsOmitted?: number;
  intent: { intent: IntentWord; since: string; author?: string } | null;
  labels?: Record<string, string>;
  links?: Link[];
  silences?: Silence[];
}

export interface Page<T> {
  items: T[];
  cursor: string | null;
  total?: number;
}

export interface Facet {
  items: { value: string; count: number }[];
  more: number;
}

export const FACETS = ['cluster', 'namespace', 'state', 'confidence', 'condition', 'alert', 'policy', 'mode', 'label'] as const;
export type FacetName = (typeof FACETS)[number];

export interface Summary {
  jobs: number;
  sequence: number;
  severity: Record<Severity, number>;
  alerts: { firing: number; silenced: number };
  facets: Record<FacetName, Facet>;
}

export interface AlertRow {
  alert: string;
  scope: Scope;
  cluster: string;
  /** The policy that it is about. */
  policy?: string;
  job: string;
  jobs: number;
  since: string;
  message: string;
  silencedUntil?: string | null;
  silencedBy?: string | null;
}

export interface Transition {
  sequence: number;
  at: string;
  since?: string;
  from: State;
  to: State;
  confidence: Confidence;
  reason: Reason;
  attempt: number;
  policy: string;
}

export interface AlertChange {
  alert: string;
  job: string;
  scope: Scope;
  status: 'firing' | 'resolved';
  since: string;
  message: string;
}

export interface Call {
  sequence: number;
  at: string;
  what: string;
  by?: string;
  through: string;
  says?: string;
  from?: string;
}

export const KINDS = ['transition', 'alert', 'update', 'call', 'forgotten'] as const;
export type Kind = (typeof KINDS)[number];

export interface HistoryItem {
  sequence: number;
  at: string;
  job: string;
  kind: Kind;
  revision?: number;
  transition?: Transition;
  alert?: AlertChange;
  call?: Call;
  confidence?: Confidence;
}

export interface ClusterKind {
  kind: string;
  namespace: string | null;
  state: 'pending' | 'reached' | 'retrying' | 'notServed';
  reachableSince: string | null;
  unknownSince: string | null;
  fault: string | null;
  lastListAt: string | null;
  lastListObjects: number | null;
}

export interface FlinkCounts {
  watched: number;
  silent: number;
}

export interface Cluster {
  name: string;
  server: string;
  state: 'pending' | 'reached' | 'retrying';
  reachableSince: string | null;
  unknownSince: string | null;
  fault: string | null;
  neverRead: boolean;
  kinds: ClusterKind[];
  jobs: number;
  unconfirmed: number;
  flinks: FlinkCounts;
  unwatched?: string[];
  unwatchedOmitted?: number;
}

export interface ClusterList {
  items: Cluster[];
  standalone: { jobs: number; unconfirmed: number; flinks: FlinkCounts } | null;
}

export interface Policy {
  name: string;
  role: 'decides' | 'shadow';
  rollout: string;
  module: string;
  sha256: string;
  contract: string;
  description: string;
  since: string;
  standing: 'as-configured' | 'outdated' | 'unusable';
  note?: string;
  suspendedSince?: string;
  params?: Record<string, unknown>;
  signedBy?: string;
}

export interface PolicyList {
  items: Policy[];
  lastReload: { at: string; result: 'reloaded' | 'refused'; message: string } | null;
}

export interface Shown {
  state: State;
  attempt: number;
  confidence: Confidence;
  reason: Reason;
}

export interface Comparison {
  policy: string;
  job: string;
  differs: boolean;
  decided: Shown & { policy: string };
  shadow: Shown & { rule: string | null };
  since: string;
  judged: number;
  differed: number;
  failure: { at: string; kind: string; message: string } | null;
}

export interface ShadowPolicy {
  policy: string;
  jobs: number;
  differing: number;
  judged: number;
  differed: number;
  failures: number;
}

export interface ShadowPage extends Page<Comparison> {
  policies: ShadowPolicy[];
}

export interface SinkHealth {
  name: string;
  failingSince?: string;
  waitingSince?: string;
  deadLetters: number;
  lastDeadLetter?: { sequence: number; at: string; why: string };
}

export interface Readiness {
  ready: boolean;
  store: string | null;
  policies: string[];
  clusters: Pick<Cluster, 'name' | 'state' | 'fault' | 'reachableSince' | 'unknownSince' | 'neverRead'>[];
  sinks?: SinkHealth[];
  quarantinedRecords?: number;
  unwrittenJobs?: number;
}

export interface Liveness {
  live: boolean;
  turnedSecondsAgo: number;
}

export interface StoreState {
  store: string;
  newest: number;
  droppedUntil: number;
  quarantined: { job: string; at: string; why: string }[];
  unwritten: { job: string; why: string }[];
}

// ---- What is asked live, and kept nowhere

export interface Part<T> {
  known: 'present' | 'absent' | 'unknown';
  why?: string;
  value?: T;
}

export interface FlinkVertex {
  id: string;
  name: string;
  parallelism: number;
  status: string;
  tasks: Record<string, number>;
  startedAt?: string;
  durationSeconds?: number;
}

export interface FlinkFacts {
  askedAt: string;
  job: Part<{
    id: string;
    name: string;
    state: string;
    startedAt: string;
    endedAt?: string;
    durationSeconds: number;
    maxParallelism?: number;
    parallelism: number;
    vertices: FlinkVertex[];
    verticesOmitted?: number;
  }>;
  checkpoints: Part<{
    counts: { completed: number; failed: number; inProgress: number; restored: number };
    latestCompleted?: { id: number; at: string; sizeBytes: number; durationMillis: number; path?: string; isSavepoint: boolean } | null;
    latestFailed?: { id: number; at: string; failureMessage?: string } | null;
    latestSavepoint?: { id: number; at: string; path?: string; sizeBytes: number } | null;
    history: { id: number; status: string; at: string; durationMillis: number; sizeBytes: number; isSavepoint: boolean }[];
  }>;
  exceptions: Part<{
    root?: { headline: string; stackTrace: string; at?: string } | null;
    history: { headline: string; stackTrace: string; at?: string; task?: string; endpoint?: string }[];
    truncated: boolean;
  }>;
}

export interface PodFacts {
  name: string;
  role: 'jobmanager' | 'taskmanager';
  phase: string;
  ready: boolean;
  node?: string;
  restarts: number;
  startedAt?: string;
  reason?: string;
  containers: { name: string; restarts: number; state: string; reason?: string; message?: string; exitCode?: number }[];
}

export interface PodsFacts {
  askedAt: string;
  pods: Part<PodFacts[]>;
  events: Part<{ object: string; reason: string; message: string; at: string | null; count?: number; type?: string }[]>;
}

export interface LogFacts {
  askedAt: string;
  log: Part<{ pod: string; container: string; text: string }>;
}

// ---- `explain`

export interface Fault {
  kind: string;
  message: string;
}

export type Observed<T> = { present: T } | { unknown: Fault } | 'absent';

export interface Evidence<T> {
  latest: Observed<T>;
  ageSeconds: number;
  knownAgeSeconds?: number;
  failures: number;
  observedAt: string;
}

export interface ExplainedPod {
  name: string;
  phase: string;
  ready: 'ready' | 'notReady';
  deletingSince: string | null;
  reason: string | null;
  unschedulable: string | null;
  container: {
    name: string;
    restarts: number;
    waiting: { reason: string; message: string } | null;
    terminated: { reason: string; exitCode: number; at: string | null } | null;
  } | null;
}

export interface JobEnd {
  job: string;
  state: State;
  cause: string | null;
  endedAt: string | null;
}

type Maybe<T> = Evidence<T> | null | undefined;

export interface Snapshot {
  now: string;
  engineSince: string;
  flink: Maybe<{ id: string; state: State; startedAt: string; endedAt: string | null; tasks: { total: number; running: number } }>;
  deployment: Maybe<{
    uid: string; replicas: number; ready: number; deletingSince: string | null; rollout: 'settled' | 'in-progress'; trouble: string | null;
  }>;
  pods: Maybe<ExplainedPod[]>;
  flinkResource: Maybe<{
    kind: string; name: string; desired: string; reportedState: string | null; lifecycle: string | null; error: string | null;
  }>;
  exceptions: Maybe<{ headline: string; at: string | null }>;
  checkpoints: Maybe<{ completed: number; failed: number }>;
  taskManagers: Maybe<ExplainedPod[]>;
  events: Maybe<{ object: string; reason: string; message: string }[]>;
  lastWords: Maybe<JobEnd>;
  archive: Maybe<JobEnd>;
  haData: Maybe<{ configMaps: string[] }>;
  deletion: { uid: string; seenAt: string } | null;
  fleet: { targets: number; dark: number };
}

export interface Explanation {
  policy: string;
  rule: { name: string; says: string; because: string; changedBy: string } | null;
  waitsFor: { look: string; dueAt: string | null }[];
  shadows: Comparison[];
  snapshot: Snapshot;
  archiveConfigured?: boolean;
  decision?: { rule: string; state: State; confidence: Confidence; reason: Reason };
  failure?: { kind: string; message: string };
}

/** Server-sent events: `record` is the job as it was committed, null when it was forgotten. */
export interface StreamEvent {
  job: string;
  sequence: number;
  store: string;
  at?: string;
  revision?: number;
  body?: unknown;
  record?: Job | null;
}
