const firstCapacity = 1024;

/**
 * A map from texts to whole numbers (0 to 2^32 - 2) that keeps 12 bytes a slot and at most half
 * of the slots filled: 24 to 48 bytes a text, however long the texts are. A text is known by a
 * 64-bit fingerprint, so among a million texts the chance that any two are mistaken for one another
 * is 3 in 100 million.
 */
export class Fingerprints {
  #high = new Uint32Array(firstCapacity);
  #low = new Uint32Array(firstCapacity);
  /** The value plus one; 0 marks an empty slot. */
  #values = new Uint32Array(firstCapacity);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(text: string): number | undefined {
    const value = this.#values[this.#slot(...fingerprint(text))] ?? 0;
    return value === 0 ? undefined : value - 1;
  }

  has(text: string): boolean {
    return this.get(text) !== undefined;
  }

  set(text: string, value: number): void {
    const [high, low] = fingerprint(text);
    this.#put(high, low, value + 1);
    if (this.#size * 2 > this.#values.length) this.#grow();
  }

  #slot(high: number, low: number): number {
    const mask = this.#values.length - 1;
    let slot = (low ^ high) & mask;
    while (this.#values[slot] !== 0 && (this.#high[slot] !== high || this.#low[slot] !== low)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #put(high: number, low: number, stored: number): void {
    const slot = this.#slot(high, low);
    if (this.#values[slot] === 0) this.#size += 1;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#values[slot] = stored;
  }

  #grow(): void {
    const [high, low, values] = [this.#high, this.#low, this.#values];
    const capacity = values.length * 2;
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#values = new Uint32Array(capacity);
    this.#size = 0;
    values.forEach((stored, slot) => {
      if (stored !== 0) this.#put(high[slot] ?? 0, low[slot] ?? 0, stored);
    });
  }
}

/** 64 bits of a text as two unsigned 32-bit numbers (cyrb53's two lanes, each finished on its own). */
function fingerprint(text: string): [high: number, low: number] {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return [high >>> 0, low >>> 0];
}
