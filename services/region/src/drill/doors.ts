/** A region's edge, as those outside know it. */
export interface Edge {
  readonly region: string;
  readonly url: string;
  /** An API key of this region. */
  readonly key: string;
}

/** Which edge somebody outside turns to: the one nearest, and the next one when that is away. */
export class Door {
  readonly #edges: readonly Edge[];
  #index: number;

  /** @param edges of all regions @param home where it begins */
  constructor(edges: readonly Edge[], home: string) {
    this.#edges = edges;
    this.#index = edges.findIndex(({ region }) => region === home);
    if (this.#index === -1) throw new RangeError(`There is no edge of the region ${home}.`);
  }

  get edge(): Edge {
    return this.#edges[this.#index] as Edge;
  }

  /** Goes on to the next edge, unless that was done already. @param from the one that is away */
  moveOn(from: Edge): void {
    if (this.edge === from) this.#index = (this.#index + 1) % this.#edges.length;
  }
}
