// What the fleet page shows, as it stands in its address: filters and sort go to the engine, columns and density stay here.

import { FACETS, type Query, type SortWord } from '../api/types';
import { parseSpan } from './time';

/** Filters that may have several values. */
export const LISTS = ['severity', ...FACETS] as const satisfies (keyof Query<'listJobs'>)[];
export type ListName = (typeof LISTS)[number];

export const COLUMNS = [
  'state', 'job', 'why', 'flags', 'since', 'confirmed', 'cluster', 'namespace', 'policy', 'attempt', 'mode', 'started', 'poll',
  'intent', 'flinkJob', 'labels',
] as const;
export type Column = (typeof COLUMNS)[number];

export const USUAL_COLUMNS: readonly Column[] = ['state', 'job', 'why', 'flags', 'since', 'confirmed'];

/** Sorts that the engine knows. */
export const SORTS = ['severity', 'id', 'state', 'since', 'confirmed', 'cluster'] as const satisfies SortWord[];
export type Sort = (typeof SORTS)[number];

export interface FleetView {
  filters: Map<ListName, Set<string>>;
  search: string;
  /** `1h`: states that stand since then or later. */
  within: string | null;
  sort: Sort;
  isReversed: boolean;
  columns: Column[];
  isDense: boolean;
}

const isOneOf = <T extends string>(words: readonly T[], word: string): word is T => (words as readonly string[]).includes(word);

export function readView(query: URLSearchParams): FleetView {
  const filters = new Map<ListName, Set<string>>();
  for (const name of LISTS) {
    const values = query.getAll(name).filter((value) => value !== '');
    if (values.length > 0) filters.set(name, new Set(values));
  }
  const [, turned = '', word = ''] = /^(-?)(.*)$/.exec(query.get('sort') ?? '') ?? [];
  const columns = (query.get('columns') ?? '').split(',').filter((name) => isOneOf(COLUMNS, name));
  const within = query.get('within');
  return {
    filters,
    search: query.get('search') ?? '',
    within: within !== null && parseSpan(within) !== null ? within : null,
    sort: isOneOf(SORTS, word) ? word : 'severity',
    isReversed: isOneOf(SORTS, word) && turned === '-',
    // The job is always shown: everything else is about it.
    columns: columns.length > 0 ? [...new Set<Column>(columns.includes('job') ? columns : ['job', ...columns])] : [...USUAL_COLUMNS],
    isDense: query.get('dense') === '1',
  };
}

/** The view as it stands in an address; what is usual is left out. */
export function writeView(view: FleetView): URLSearchParams {
  const query = filterQuery(view);
  if (view.within !== null) query.set('within', view.within);
  const sort = sortWord(view);
  if (sort !== 'severity') query.set('sort', sort);
  if (view.columns.join() !== USUAL_COLUMNS.join()) query.set('columns', view.columns.join(','));
  if (view.isDense) query.set('dense', '1');
  return query;
}

const sortWord = (view: FleetView): string => (view.isReversed ? `-${view.sort}` : view.sort);

function filterQuery(view: FleetView): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of LISTS) for (const value of view.filters.get(name) ?? []) query.append(name, value);
  if (view.search !== '') query.set('search', view.search);
  return query;
}

/** What the engine is asked for at `now`; with the sort, and without it as summaries are asked for. */
export function engineQuery(view: FleetView, now: number): { filters: string; jobs: string } {
  const query = filterQuery(view);
  const span = view.within === null ? null : parseSpan(view.within);
  if (span !== null) query.set('since', new Date(now - span).toISOString());
  const filters = query.toString();
  query.set('sort', sortWord(view));
  return { filters, jobs: query.toString() };
}

/** The view with a filter value turned on or off. */
export function toggled(view: FleetView, name: ListName, value: string): FleetView {
  const filters = new Map([...view.filters].map(([key, values]) => [key, new Set(values)]));
  const values = filters.get(name) ?? new Set<string>();
  if (!values.delete(value)) values.add(value);
  if (values.size === 0) filters.delete(name);
  else filters.set(name, values);
  return { ...view, filters };
}

export const isFiltered = (view: FleetView): boolean => view.filters.size > 0 || view.search !== '' || view.within !== null;
