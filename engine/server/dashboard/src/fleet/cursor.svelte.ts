// Which row the keyboard is at, and which job was opened last: it stays while one is on the job's page.

class Cursor {
  index = $state(-1);
  openedId: string | null = null;
}

export const cursor = new Cursor();
