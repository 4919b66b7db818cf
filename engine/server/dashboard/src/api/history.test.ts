import { afterEach, describe, expect, it, vi } from 'vitest';
import { story } from '../../tests/mock/world';
import { readHistory, readJson, readSome, readTable } from './history';

const items = story('a/b/c', Date.parse('2026-11-28T04:00:00Z'));
const asked: string[] = [];
/** What each answer of the engine's has. */
const OWN = { 'steadfast-store': 'mock' };

/** Pages that begin where their cursor says; `format=csv` has a line of names. */
function serve(pages: { items: number; unreadable?: number }[], onpage: (at: number) => void = () => {}): void {
  asked.length = 0;
  vi.stubGlobal('sessionStorage', { getItem: () => null });
  vi.stubGlobal('document', { baseURI: 'http://engine.example/' });
  vi.stubGlobal('fetch', (url: URL, { signal }: RequestInit) => {
    signal?.throwIfAborted();
    asked.push(url.search);
    const at = Number(url.searchParams.get('cursor') ?? 0);
    onpage(at);
    const cursor = at + 1 < pages.length ? String(at + 1) : null;
    const page = items.slice(0, pages[at]?.items ?? 0);
    if (url.searchParams.get('format') === 'csv') return Promise.resolve(new Response(`names\n${page.map((item) => `${item.sequence}\n`).join('')}`, { headers: { ...OWN, 'content-type': 'text/csv', ...(cursor === null ? {} : { 'steadfast-cursor': cursor }) } }));
    const unreadable = Array.from({ length: pages[at]?.unreadable ?? 0 }, () => ({ sequence: 1, job: 'a/b/c', why: 'does not read' }));
    return Promise.resolve(Response.json({ items: page, droppedUntil: 0, ...(unreadable.length > 0 ? { unreadable } : {}), ...(cursor === null ? {} : { cursor }) }, { headers: OWN }));
  });
}
afterEach(() => vi.unstubAllGlobals());

const reading = (most: number, signal = new AbortController().signal) => ({ limit: 3, most, progress: () => {}, signal });

describe('the history', () => {
  it('is read on where a page is empty, and ends where no cursor is left', async () => {
    serve([{ items: 0, unreadable: 2 }, { items: 0 }, { items: 3, unreadable: 1 }]);
    expect(await readHistory('kind=alert', 3, null)).toMatchObject({ items: items.slice(0, 3), unreadable: [{}, {}, {}], droppedUntil: 0, cursor: null });
    expect(asked).toHaveLength(3);
  });

  it('is read until there are enough of what is wanted', async () => {
    serve([{ items: 2 }, { items: 2 }, { items: 2 }]);
    const found = await readSome('kind=alert', 2, 2, (item) => item === undefined || item.sequence === items[1]?.sequence);
    expect([found.items.length, found.cursor, asked.length]).toEqual([2, '2', 2]);
  });

  it.each([['csv', readTable], ['json', readJson]] as const)('is exported as %s up to a bound, and says that it was cut', async (name, read) => {
    serve([{ items: 3 }, { items: 0 }, { items: 3 }, { items: 3 }]);
    const whole = await read('', reading(100));
    expect([whole.entries, whole.isCut, asked.length]).toEqual([9, false, 4]);
    const text = whole.parts.join('');
    expect(name === 'csv' ? text.trim().split('\n').length - 1 : (JSON.parse(text) as unknown[]).length).toBe(9);
    serve([{ items: 3 }, { items: 3 }, { items: 3 }]);
    const cut = await read('', reading(6));
    expect([cut.entries, cut.isCut, asked.length]).toEqual([6, true, 2]);
  });

  it.each([['csv', readTable], ['json', readJson]] as const)('stops being exported as %s when it is told to', async (_, read) => {
    const ending = new AbortController();
    serve(Array.from({ length: 50 }, () => ({ items: 3 })), (at) => { if (at === 2) ending.abort(); });
    await expect(read('', reading(1e6, ending.signal))).rejects.toThrow();
    expect(asked.length).toBeLessThanOrEqual(3);
  });
});
