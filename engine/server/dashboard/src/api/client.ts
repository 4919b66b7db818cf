// Asking the engine. What it answers, a refusal too, is a sign of life (`onHeard`); what a proxy in front of it answers is none. Each
// of the engine's answers names its store in a header.

/** How long an answer may take, in milliseconds. */
const ANSWER = 20_000;
const TOKEN = 'steadfast-token';
const PROBLEM = 'application/problem+json';
const STORE = 'steadfast-store';

/** The engine answered, and did not do it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    /** The word of docs/reference/errors.md. */
    readonly code: string,
    detail: string,
  ) {
    super(detail);
    this.name = 'Refused';
  }
}

/** Something answered, and not as the engine does. */
export class Foreign extends Error {
  constructor(status: number, type: string) {
    super(`HTTP ${status}${type === '' ? '' : ` ${type}`}, which is no answer of the engine's`);
    this.name = 'Foreign';
  }
}

/** Whether the engine says that it has no such job, or knows of none while it cannot read all. */
export const isNoJob = (error: unknown): error is Refused => error instanceof Refused && (error.code === 'no-such-job' || error.code === 'job-not-known');

/** Whether the engine says that it serves no such thing. */
export const isNotServed = (error: unknown): error is Refused => error instanceof Refused && (error.status === 404 || error.status === 405) && !isNoJob(error);

interface Hooks {
  /** The engine answered; by the `Date` it carries, the engine's clock is so many milliseconds ahead of ours. And which store it is of. */
  heard(aheadMillis: number | null, store: string | null): void;
  /** A token is asked for; whether the one that was sent is wrong. */
  token(wasWrong: boolean): void;
}

export const hooks: Hooks = { heard: () => {}, token: () => {} };

export function setToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

/** Relative to the page, so that it works behind any path. */
export const address = (path: string): URL => new URL(path, document.baseURI);

export const jobPath = (id: string): string => `api/v1/jobs/${id.split('/').map(encodeURIComponent).join('/')}`;

interface Request {
  method?: string;
  body?: unknown;
  accept?: string;
  etag?: string;
  /** A status that is no success and comes with what was asked for all the same. */
  alsoTaken?: number;
  signal?: AbortSignal;
}

function headersOf(request: Request, token: string | null): Headers {
  const headers = new Headers({ accept: request.accept ?? 'application/json' });
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  if (request.body !== undefined) headers.set('content-type', 'application/json');
  if (request.etag !== undefined) headers.set('if-none-match', request.etag);
  return headers;
}

const typeOf = (response: Response): string => (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** The engine's own refusal; fails with `Foreign` if it is none. */
async function refusalOf(response: Response): Promise<Refused> {
  const problem = typeOf(response) === PROBLEM ? ((await response.json().catch(() => null)) as { code?: unknown; detail?: unknown } | null) : null;
  if (typeof problem?.code !== 'string') throw new Foreign(response.status, typeOf(response));
  return new Refused(response.status, problem.code, typeof problem.detail === 'string' ? problem.detail : `HTTP ${response.status}`);
}

function heard(response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '');
  hooks.heard(Number.isNaN(date) ? null : date - Date.now(), response.headers.get(STORE));
}

function refused(refusal: Refused, token: string | null): Refused {
  if (refusal.status !== 401) return refusal;
  // Another one may have been given meanwhile, of which this says nothing.
  if (token !== sessionStorage.getItem(TOKEN)) return refusal;
  setToken(null);
  hooks.token(token !== null);
  return refusal;
}

/** Sends a request. Fails with `Refused`, with `Foreign`, or with whatever keeps anybody from answering. */
export async function ask(path: string, request: Request = {}): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER);
  const token = sessionStorage.getItem(TOKEN);
  const signals = [late.signal, ...(request.signal ? [request.signal] : [])];
  const headers = headersOf(request, token);
  try {
    const response = await fetch(address(path), {
      method: request.method ?? 'GET',
      headers,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      cache: 'no-store',
      signal: AbortSignal.any(signals),
    });
    const isBare = response.status === 204 || (response.status === 304 && request.etag !== undefined);
    if (!response.ok && !isBare && response.status !== request.alsoTaken) {
      const refusal = await refusalOf(response);
      heard(response);
      throw refused(refusal, token);
    }
    const isOwn = response.headers.has(STORE) && (isBare || typeOf(response) === headers.get('accept')?.split(';')[0]);
    if (!isOwn) throw new Foreign(response.status, typeOf(response));
    heard(response);
    return response;
  } finally {
    // Of a stream only the beginning has a deadline. Of all others the head has been read, and the body is on its way.
    clearTimeout(timer);
  }
}

const remembered = new Map<string, { etag: string; value: unknown }>();

/** What a GET answers. The same object as before if the engine says that nothing has changed. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const before = remembered.get(path);
  const response = await ask(path, { ...(before ? { etag: before.etag } : {}), ...(signal ? { signal } : {}) });
  if (response.status === 304 && before) return before.value as T;
  const value = (await response.json()) as T;
  const etag = response.headers.get('etag');
  remembered.delete(path);
  // The newest few: pages that were left long ago are not worth their memory.
  if (etag !== null) remembered.set(path, { etag, value });
  const oldest = remembered.keys().next().value;
  if (remembered.size > 64 && oldest !== undefined) remembered.delete(oldest);
  return value;
}

/** The same, or null where this engine has no such thing. */
export async function getIfServed<T>(path: string, signal?: AbortSignal): Promise<T | null> {
  try {
    return await get<T>(path, signal);
  } catch (error) {
    if (isNotServed(error)) return null;
    throw error;
  }
}

/** Sends a change; what comes back, if anything does. */
export async function send<T>(method: 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T | null> {
  const response = await ask(path, { method, body });
  return response.status === 204 ? null : ((await response.json()) as T);
}

/** Why something failed, in words. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
