import { once } from 'node:events';

/** What the process that started this one can be asked to do with a region. */
export type Deed = 'kill' | 'restart';

/** What is sent to it, and what it answers when it has done that, or cannot. */
export interface DeedMessage {
  readonly deed: Deed;
  readonly region: string;
  readonly failed?: string;
}

type Channel = Pick<NodeJS.Process, 'send' | 'once' | 'on' | 'off'>;

/**
 * The way to the process that started this one and can kill and start regions: over the channel
 * that it opened (`stdio: 'ipc'`).
 * @returns undefined when there is none; else asks, resolves when it is done, rejects when it failed
 */
export function starterOf(
  channel: Channel,
): ((deed: Deed, region: string) => Promise<void>) | undefined {
  const send = channel.send?.bind(channel) as ((message: DeedMessage) => void) | undefined;
  if (send === undefined) return undefined;
  return async (deed, region) => {
    const answered = once(channel as NodeJS.Process, 'message');
    send({ deed, region });
    const [answer] = (await answered) as [DeedMessage];
    if (answer.failed !== undefined) {
      throw new Error(`The region ${region} could not be made to ${deed}: ${answer.failed}`);
    }
  };
}
