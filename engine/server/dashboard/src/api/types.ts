// The shapes of the HTTP API: names for what `schema.ts` has, which is made of `/openapi.json` (`engine/server/dashboard/build`).
// What the document does not say is written by hand here, each with the reason.

import {
  eventKindValues, severityValues, stateValues, type components, type operations,
} from './schema';

type Schemas = components['schemas'];

// ---- Words

export type State = Schemas['State'];
export type Confidence = Schemas['Confidence'];
export type Severity = Schemas['Severity'];
export type Scope = Schemas['AlertScope'];
export type IntentWord = Schemas['IntentWord'];
export type Kind = Schemas['EventKind'];
export type SortWord = Schemas['Sort'];
export type FacetName = keyof Schemas['Facets'];

export const STATES: readonly State[] = stateValues;
/** Worst first. */
export const SEVERITIES: readonly Severity[] = severityValues;
export const KINDS: readonly Kind[] = eventKindValues;
/** In the order in which they are shown. */
export const FACETS = ['cluster', 'namespace', 'state', 'confidence', 'condition', 'alert', 'policy', 'mode', 'label'] as const satisfies FacetName[];

/** The query of an operation, by the name that the document gives it. */
export type Query<Name extends keyof operations> = NonNullable<operations[Name]['parameters']['query']>;

// ---- The record

export type Reason = Schemas['Reason'];
export type Condition = Schemas['Condition'];
export type StandingAlert = Schemas['Alert'];
export type Silence = Schemas['Silence'];
export type Link = Schemas['Link'];
export type Job = Schemas['Job'];
export type Summary = Schemas['Summary'];
export type Facet = Schemas['Facet'];
export type AlertRow = Schemas['AlertRow'];
export type Transition = Schemas['Transition'];
export type AlertChange = Schemas['AlertChange'];
export type Call = Schemas['AuditLine'];
export type HistoryItem = Schemas['HistoryItem'];
export type Unreadable = Schemas['UnreadableItem'];

export type JobPage = Schemas['JobPage'];
export type AlertPage = Schemas['AlertPage'];
export type HistoryPage = Schemas['HistoryPage'];
export type TransitionPage = Schemas['TransitionPage'];

// ---- The engine

export type ClusterKind = Schemas['Kind'];
export type Cluster = Schemas['Cluster'];
export type ClusterList = Schemas['ClusterList'];
export type ShadowPage = Schemas['ShadowPage'];
export type Compared = Schemas['explain.Compared'];
export type Readiness = Schemas['Readiness'];
export type Liveness = Schemas['Liveness'];
export type StoreState = Schemas['StoreState'];

export type Policy = Schemas['RunningPolicy'];
export type PolicyList = Schemas['PolicyList'];

// ---- What is asked live, and kept nowhere

/** The document has one such shape for each `T`. */
export interface Part<T> {
  known: Schemas['Known'];
  why?: string | null;
  value?: T | null;
}
export type FlinkFacts = Schemas['FlinkCloseup'];
export type PodsFacts = Schemas['PodsCloseup'];
export type LogFacts = Schemas['LogCloseup'];

// ---- `explain`

type Explained = {
  [Name in keyof Schemas as Name extends `explain.${infer Short}` ? Short : never]: Schemas[Name];
};
/** The document has one such shape for each `T`. */
export type Observed<T> = { present: T } | { unknown: Explained['Fault'] } | 'absent';
export type Evidence<T> = Omit<Explained['Evidence_explain.HaData'], 'latest'> & { latest: Observed<T> };
export type ExplainedPod = Explained['Pod'];
export type JobEnd = Extract<Explained['Observed_explain.JobEnd'], { present: unknown }>['present'];
export type Snapshot = Explained['Snapshot'];
/** The document has either a `decision` or a `failure`, of which TypeScript lets nobody read the one before it is asked for the other. */
export type Explanation = Pick<Explained['Explanation'], keyof Explained['Explanation']> & {
  decision?: Explained['Decision'];
  failure?: Explained['Failure'];
};

// ---- The event stream

/**
 * An entry that does not read has `why` in the place of kind and revision, and of an earlier engine no time. `record` is the job as it was committed,
 * null if there is none any more.
 */
export type StreamEvent = Pick<Schemas['Event'], 'job' | 'sequence' | 'store'> & Partial<Schemas['Event']> & Partial<Pick<Schemas['UnreadableEvent'], 'why'>>;
