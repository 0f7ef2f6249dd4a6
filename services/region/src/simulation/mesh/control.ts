import { ControlUnavailable, WrongRevision, type Control } from '@meridian/recovery';
import { WrongRevision as AnotherRevision, type ControlClient } from '@meridian/testing';

const prefixes = ['home.', 'lease.', 'claim.'] as const;

/** The control store of the mesh as a region's recovery knows it. */
export function controlOf(client: ControlClient): Control {
  /** Says it in recovery's own words. */
  const said = async <T>(what: string, call: Promise<T>, expected = 0): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof AnotherRevision) throw new WrongRevision(what, expected);
      throw new ControlUnavailable(what, { cause: error });
    }
  };
  return {
    async read() {
      const entries = [];
      for (const prefix of prefixes) {
        entries.push(...(await said(`a reading of ${prefix}*`, client.list(prefix))));
      }
      return { incarnation: 'the one', entries };
    },
    write: (key, value, expected) =>
      expected === undefined
        ? said(key, client.put(key, value))
        : said(key, client.compareAndSet(key, value, expected), expected),
    watch(onEntry) {
      for (const prefix of prefixes) client.watch(prefix, onEntry);
      return () => undefined;
    },
    close: () => Promise.resolve(),
  };
}
