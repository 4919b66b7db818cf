// Something of a job that is asked for live: once when it is looked at, and again when somebody says so. The engine keeps none of it.

import { getIfServed, wordsOf } from '../api/client';

export class Asked<T> {
  value = $state.raw<T | null>(null);
  error = $state('');
  isMissing = $state(false);
  isAsking = $state(false);

  async ask(path: string): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      const value = await getIfServed<T>(path);
      this.value = value;
      this.isMissing = value === null;
      this.error = '';
    } catch (error) {
      this.error = wordsOf(error);
    }
    this.isAsking = false;
  }
}
