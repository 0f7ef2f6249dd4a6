import {
  leaseAskSubject,
  leaseGrantSubject,
  parseLeaseAsk,
  type LeaseAnswer,
} from '@meridian/nest';
import type { SimulatedMesh, SimulatedRegion } from '@meridian/testing';
import { tellWhatIsHeld } from './held.ts';

/** Starts a region's recovery in the world. */
export function startRecovery(mesh: SimulatedMesh, region: SimulatedRegion): void {
  region.node('recovery', (instance) => {
    tellWhatIsHeld(mesh, region, instance);
    region.beats.subscribe(leaseAskSubject(region.name, '*'), instance.gate, (text) => {
      const ask = parseLeaseAsk(text as string);
      if (ask === undefined) return;
      const answer: LeaseAnswer = {
        id: `${ask.nonce}`,
        nonce: ask.nonce,
        intake: true,
        homes: { [region.name]: { epoch: 1, forMs: 4_000 } },
      };
      region.beats.publish(leaseGrantSubject(region.name, ask.instance), JSON.stringify(answer));
    });
  });
}
