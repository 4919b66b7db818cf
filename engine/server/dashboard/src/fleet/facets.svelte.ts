// Counts beside the filters. A facet's own values are counted without its own filter, so that one can add another value.

import { getIfServed } from '../api/client';
import type { Facet, Summary } from '../api/types';
import { engineQuery, type FleetView, type ListName } from '../lib/filters';
import { MINUTE } from '../lib/time';
import { live } from '../live/live.svelte';
import { Polled } from '../live/polled.svelte';

export interface Counted {
  main: Summary;
  /** Summaries without the filter of that name. */
  without: Map<ListName, Summary>;
}

const pathOf = (filters: string): string => `api/v1/summary${filters === '' ? '' : `?${filters}`}`;

/** The first line asks for all filters, each further one (after its name) leaves one out. Another span of time is another question. */
function question(view: FleetView): string {
  // By the minute, so that it is the same question for a while.
  const now = Math.floor(live.now / MINUTE) * MINUTE;
  const lines = [`main:${view.within ?? ''} ${pathOf(engineQuery(view, now).filters)}`];
  for (const name of view.filters.keys()) {
    const filters = new Map(view.filters);
    filters.delete(name);
    lines.push(`${name} ${pathOf(engineQuery({ ...view, filters }, now).filters)}`);
  }
  return lines.join('\n');
}

async function answer(lines: string): Promise<Counted | null> {
  const asked = lines.split('\n').map((line) => line.split(' ') as [string, string]);
  const answers = await Promise.all(asked.map(([, path]) => getIfServed<Summary>(path)));
  const main = answers[0];
  if (!main) return null;
  const without = new Map<ListName, Summary>();
  for (const [at, [name]] of asked.entries()) {
    const summary = answers[at];
    if (at > 0 && summary) without.set(name as ListName, summary);
  }
  return { main, without };
}

export const countsOf = (view: () => FleetView): Polled<Counted> => new Polled<Counted>(() => question(view()), 5000, () => true, answer);

/** The values of a facet with their counts; chosen ones are among them whatever they count. */
export function valuesOf(counted: Counted | null, name: ListName, chosen: ReadonlySet<string>): Facet {
  const summary = counted ? (counted.without.get(name) ?? counted.main) : null;
  const facet: Facet =
    name === 'severity'
      ? { items: Object.entries(summary?.severity ?? {}).map(([value, count]) => ({ value, count })), more: 0 }
      : { ...(summary?.facets[name] ?? { items: [], more: 0 }) };
  // A label that every job has tells none from another.
  if (name === 'label' && summary) facet.items = facet.items.filter((item) => item.count < summary.jobs || chosen.has(item.value));
  const missing = [...chosen].filter((value) => !facet.items.some((item) => item.value === value));
  return { items: [...missing.map((value) => ({ value, count: 0 })), ...facet.items], more: facet.more };
}
