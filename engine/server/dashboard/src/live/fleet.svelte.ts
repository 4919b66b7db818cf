// What every page shows of the whole fleet: its clusters, and how many alerts fire.

import type { ClusterList, Summary } from '../api/types';
import { Polled } from './polled.svelte';

export const clusters = new Polled<ClusterList>(() => 'api/v1/clusters', 2500);
export const whole = new Polled<Summary>(() => 'api/v1/summary', 5000);
