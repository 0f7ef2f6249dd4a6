import { invalidArgument, unavailable } from '../faults.ts';
import type { ProposedMessage } from '../protocol/messages.ts';

/** What one append may bring before it is whole. */
export const proposedBytesLimit = 4 * 1_048_576;

/** How much clients have sent that is not stored yet, over all calls. */
export class AppendBudget {
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes = 128 * 1_048_576) {
    this.#limitBytes = limitBytes;
  }

  /** @throws CallRefused (UNAVAILABLE) when it is more than is left: clients come again */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#limitBytes) {
      throw unavailable(
        `Appends of ${this.#limitBytes} bytes are under way, as many as this gateway takes at once.`,
      );
    }
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Counts what is proposed. @throws CallRefused when it is more than is taken */
export class Proposed {
  readonly messages: ProposedMessage[] = [];
  readonly #budget: AppendBudget;
  #bytes = 0;

  constructor(budget: AppendBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(message: ProposedMessage): void {
    const bytes = (message.data?.length ?? 0) + (message.customMetadata?.length ?? 0);
    this.#budget.take(bytes);
    this.#bytes += bytes;
    if (this.#bytes > proposedBytesLimit) {
      throw invalidArgument(
        `The append has more than ${proposedBytesLimit} bytes: divide it into smaller ones.`,
      );
    }
    this.messages.push(message);
  }

  /** It is held no longer. */
  release(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
  }
}
