// Where the page is, and how it goes elsewhere.

import { hrefOf, parseRoute, type Route } from './route';

class Router {
  route = $state.raw<Route>(parseRoute(location.hash));
  /** The page before, e.g. the list that a job was opened from, with its filters. */
  cameFrom = $state<string | null>(null);

  constructor() {
    window.addEventListener('hashchange', (event) => {
      const before = parseRoute(new URL(event.oldURL).hash);
      const next = parseRoute(location.hash);
      if (before.page !== next.page) this.cameFrom = new URL(event.oldURL).hash;
      this.route = next;
    });
  }

  /** Goes to another page. */
  go(href: string): void {
    location.hash = href;
  }

  /** Writes into the address what the page shows, without a step of its own in the browser's history. */
  write(path: string, query: URLSearchParams): void {
    const href = hrefOf(path, query);
    if (href === location.hash) return;
    history.replaceState(history.state, '', href);
    this.route = parseRoute(href);
  }
}

export const router = new Router();
