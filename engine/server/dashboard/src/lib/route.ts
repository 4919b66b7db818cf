// Addresses of the page: everything is behind the `#`, so that it works under any path and offline, and can be shared.

export type PageName = 'fleet' | 'job' | 'alerts' | 'events' | 'policies' | 'engine' | 'nowhere';

export interface Route {
  page: PageName;
  /** Of a job's page. */
  id: string | null;
  query: URLSearchParams;
}

const PAGES: Record<string, PageName> = {
  '': 'fleet',
  jobs: 'fleet',
  alerts: 'alerts',
  events: 'events',
  policies: 'policies',
  engine: 'engine',
};

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // What does not decode names nothing, and is shown as it is.
    return segment;
  }
}

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '');
  const [path = '', search = ''] = splitOnce(text, '?');
  const query = new URLSearchParams(search);
  // Links of the first dashboard: `#local/default/orders`.
  const isOld = path !== '' && !path.startsWith('/');
  const segments = path.split('/').map(decode);
  if (isOld && segments.length >= 3) return { page: 'job', id: segments.join('/'), query };
  const [, first = '', ...rest] = segments;
  if (first === 'jobs' && rest.filter(Boolean).length >= 3) return { page: 'job', id: rest.join('/'), query };
  const page = rest.filter(Boolean).length === 0 && !isOld ? PAGES[first] : undefined;
  return { page: page ?? 'nowhere', id: null, query };
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The address of a page, with what it shows. */
export function hrefOf(path: string, query?: URLSearchParams | Record<string, string>): string {
  const search = new URLSearchParams(query).toString();
  return search === '' ? `#/${path}` : `#/${path}?${search}`;
}

export const jobHref = (id: string, query?: Record<string, string>): string =>
  hrefOf(`jobs/${id.split('/').map(encodeURIComponent).join('/')}`, query);
