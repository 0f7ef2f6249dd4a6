import { heldSubject } from '@meridian/nest';
import type { Instance, SimulatedMesh, SimulatedRegion } from '@meridian/testing';
import { eventStream, intakeStream } from '@meridian/wire';

/** For how long what is told to a peer is gathered, in ms. */
const gatherMs = 5;
/** How often it is told again, should it have been lost, in ms. */
const againMs = 2_000;

/** Tells each other region how much of its streams is held here. */
export function tellWhatIsHeld(
  mesh: SimulatedMesh,
  region: SimulatedRegion,
  instance: Instance,
): void {
  for (const origin of mesh.regions.filter((other) => other !== region)) {
    const streams = [intakeStream(origin.name), eventStream(origin.name)];
    const held: Record<string, number> = {};
    let isGathering = false;
    const tell = (): void => {
      isGathering = false;
      const report = { region: region.name, streams: { ...held } };
      mesh.links.send(region.name, origin.name, () =>
        origin.beats.publish(heldSubject(origin.name, region.name), report),
      );
    };
    for (const stream of streams) {
      held[stream] = region.log.messages(stream).length;
      instance.log.follow(
        stream,
        { after: held[stream], onFailure: (error) => instance.fail(error) },
        ({ sequence }) => {
          held[stream] = sequence;
          if (isGathering) return;
          isGathering = true;
          instance.after(gatherMs, tell);
        },
      );
    }
    const tellAgain = (): void => {
      tell();
      instance.after(againMs, tellAgain);
    };
    tellAgain();
  }
}
