import { MemoryControlCluster } from '../src/control/memory-control.ts';
import { describeControl } from './describe-control.ts';

describeControl('memory', async () => {
  const cluster = new MemoryControlCluster();
  return {
    clients: [cluster.client(), cluster.client()],
    lose: async () => {
      cluster.hasQuorum = false;
    },
  };
});
