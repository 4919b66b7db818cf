// Asking the engine. Every answer, a refusal too, is a sign of life (`onHeard`).

/** How long an answer may take, in milliseconds. */
const ANSWER = 20_000;
const TOKEN = 'steadfast-token';

/** The engine answered, and did not do it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
    this.name = 'Refused';
  }
}

interface Hooks {
  /** Any answer arrived; by the `Date` it carries, the engine's clock is so many milliseconds ahead of ours. */
  heard(aheadMillis: number | null): void;
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
  signal?: AbortSignal;
}

function headersOf(request: Request, token: string | null): Headers {
  const headers = new Headers({ accept: request.accept ?? 'application/json' });
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  if (request.body !== undefined) headers.set('content-type', 'application/json');
  if (request.etag !== undefined) headers.set('if-none-match', request.etag);
  return headers;
}

async function refusal(response: Response): Promise<Refused> {
  const problem = (await response.json().catch(() => null)) as { detail?: unknown } | null;
  const detail = typeof problem?.detail === 'string' ? problem.detail : `HTTP ${response.status}`;
  return new Refused(response.status, detail);
}

/** Sends a request. Fails with `Refused`, or with whatever keeps the engine from answering. */
export async function ask(path: string, request: Request = {}): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER);
  const token = sessionStorage.getItem(TOKEN);
  const signals = [late.signal, ...(request.signal ? [request.signal] : [])];
  try {
    const response = await fetch(address(path), {
      method: request.method ?? 'GET',
      headers: headersOf(request, token),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      cache: 'no-store',
      signal: AbortSignal.any(signals),
    });
    const date = Date.parse(response.headers.get('date') ?? '');
    hooks.heard(Number.isNaN(date) ? null : date - Date.now());
    if (response.status === 401) {
      // Another one may have been given meanwhile.
      if (token === sessionStorage.getItem(TOKEN)) setToken(null);
      hooks.token(token !== null);
    }
    if (!response.ok && response.status !== 304) throw await refusal(response);
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
    if (error instanceof Refused && (error.status === 404 || error.status === 405)) return null;
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
