// Saved views: an address of the fleet page, with a name; kept in this browser.

const KEY = 'steadfast-views';

export interface SavedView {
  name: string;
  query: string;
}

function isView(value: unknown): value is SavedView {
  const view = value as Partial<SavedView> | null;
  return typeof view?.name === 'string' && typeof view.query === 'string';
}

function stored(): SavedView[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(value) ? value.filter(isView) : [];
  } catch {
    return [];
  }
}

class Views {
  items = $state<SavedView[]>(stored());

  save(name: string, query: string): void {
    this.#keep([...this.items.filter((view) => view.name !== name), { name, query }]);
  }

  remove(name: string): void {
    this.#keep(this.items.filter((view) => view.name !== name));
  }

  #keep(items: SavedView[]): void {
    this.items = items;
    localStorage.setItem(KEY, JSON.stringify(items));
  }
}

export const views = new Views();
