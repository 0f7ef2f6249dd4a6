import { ControlUnavailable, type Control } from './control.ts';

/** A control cluster that is being connected to: without an answer until then. */
export function lateControl(opening: Promise<Control>): Control {
  let opened: Control | undefined;
  let isClosed = false;
  const watching = new Map<Parameters<Control['watch']>[0], (() => void) | undefined>();
  void opening.then((control) => {
    if (isClosed) return control.close();
    opened = control;
    for (const onEntry of watching.keys()) watching.set(onEntry, control.watch(onEntry));
    return undefined;
  });
  const now = (what: string): Control => {
    if (opened === undefined) throw new ControlUnavailable(`${what}: not connected yet`);
    return opened;
  };
  return {
    read: async () => now('reading').read(),
    write: async (key, value, expectedRevision) =>
      now(`writing ${key}`).write(key, value, expectedRevision),
    watch: (onEntry) => {
      watching.set(onEntry, opened?.watch(onEntry));
      return () => {
        watching.get(onEntry)?.();
        watching.delete(onEntry);
      };
    },
    close: async () => {
      isClosed = true;
      await opened?.close();
    },
  };
}
