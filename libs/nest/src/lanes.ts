/** Runs tasks of one key one after the other, in the order of the calls; of different keys at once. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** How many keys have a task under way. */
  get size(): number {
    return this.#tails.size;
  }

  /** The task starts at once, within the call, when its key is free. */
  run(key: string, task: () => Promise<void>): Promise<void> {
    const before = this.#tails.get(key);
    const result = before === undefined ? task() : before.then(task, task);
    this.#tails.set(key, result);
    const leave = (): void => {
      if (this.#tails.get(key) === result) this.#tails.delete(key);
    };
    result.then(leave, leave);
    return result;
  }
}
