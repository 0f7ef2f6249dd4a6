/** Waits for one thing at a time, and no longer once something else has failed. */
export class Waiting {
  #failure: { readonly error: unknown } | undefined;
  #reject: (error: unknown) => void = () => {};

  /**
   * Not a race with a promise that fails perhaps: as long as that lives it would hold everything that
   * ever won.
   */
  for<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#failure === undefined) work.then(resolve, reject);
      else reject(this.#failure.error);
    });
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reject(error);
  }
}
