import type { Beat } from '@meridian/nest';
import type { Instance, SimulatedRegion } from '@meridian/testing';

/** The beat of a region as one of its processes has it. */
export function beatOf({ beats }: SimulatedRegion, { gate }: Instance): Beat {
  return {
    publish: (subject, text) => beats.publish(subject, text),
    subscribe: (subject, onMessage) =>
      beats.subscribe(subject, gate, (body, own) => onMessage(body as string, own)),
    last: () => Promise.resolve(undefined),
    onReconnect: () => () => undefined,
  };
}
