// Which rows of a long table are in sight.

export interface Window {
  /** The first row that is drawn, and the one behind the last. */
  first: number;
  end: number;
}

/** Rows of one height. `above`: how much of the table is above what is seen; `seen`: how high that is. Pixels. */
export function windowOf(above: number, seen: number, height: number, total: number, spare: number): Window {
  const first = Math.max(0, Math.floor(above / height) - spare);
  const end = Math.min(total, Math.ceil((above + seen) / height) + spare);
  return { first: Math.min(first, Math.max(0, end)), end: Math.max(0, end) };
}
