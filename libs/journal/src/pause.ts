/** Waits; a simulator gives its own, so that a run stays a function of its seed. */
export type Wait = (delayMs: number) => Promise<void>;

/** Waits by `wait`, or for real where none is given. */
export function pause(wait: Wait | undefined, delayMs: number): Promise<void> {
  return (
    wait?.(delayMs) ??
    new Promise((resolve) => {
      setTimeout(resolve, delayMs);
    })
  );
}
