import { once } from 'node:events';
import type { DayFacts } from '../player/index.ts';

/** What the process that started this one can be asked to do, and its answer. */
export type DeedMessage = (
  | { readonly deed: 'kill' | 'restart'; readonly region: string }
  | { readonly deed: 'sign'; readonly facts: DayFacts; readonly signed?: SignedDay }
) & { readonly failed?: string };

/** A signed receipt, and the file that it was written to. */
export interface SignedDay {
  readonly text: string;
  readonly file: string;
}

/** Whoever started this process and the regions, as far as it can be asked for something. */
export interface Starter {
  kill(region: string): Promise<void>;
  restart(region: string): Promise<void>;
  /** Has a receipt made and signed with a region's key, and kept on the log's list of drills. */
  sign(facts: DayFacts): Promise<SignedDay>;
}

type Channel = Pick<NodeJS.Process, 'send' | 'once' | 'on' | 'off'>;

/**
 * The way to the process that started this one and can kill and start regions: over the channel
 * that it opened (`stdio: 'ipc'`). What it is asked for rejects when it failed.
 * @returns undefined when there is none
 */
export function starterOf(channel: Channel): Starter | undefined {
  const send = channel.send?.bind(channel) as ((message: DeedMessage) => void) | undefined;
  if (send === undefined) return undefined;
  const ask = async (message: DeedMessage, what: string): Promise<DeedMessage> => {
    const answered = once(channel as NodeJS.Process, 'message');
    send(message);
    const [answer] = (await answered) as [DeedMessage];
    if (answer.failed !== undefined) throw new Error(`${what}: ${answer.failed}`);
    return answer;
  };
  const order = (deed: 'kill' | 'restart') => async (region: string) => {
    await ask({ deed, region }, `The region ${region} could not be made to ${deed}`);
  };
  return {
    kill: order('kill'),
    restart: order('restart'),
    async sign(facts) {
      const what = 'The receipt could not be signed and kept';
      const answer = await ask({ deed: 'sign', facts }, what);
      if (answer.deed === 'sign' && answer.signed !== undefined) return answer.signed;
      throw new Error(`${what}: no receipt came back.`);
    },
  };
}
