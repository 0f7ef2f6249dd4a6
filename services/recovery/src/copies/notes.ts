import { unreachable } from '@meridian/core';
import type { Fault } from './judge.ts';

/** What happens to copies, for logs, metrics, events and the fence. */
export type CopyNote =
  /** A copy is wrong. */
  | {
      readonly what: 'wrong';
      readonly stream: string;
      readonly region: string;
      readonly fault: Fault;
      /** The first sequence that differs, where there is one. */
      readonly sequence?: number;
    }
  /** Copies differ and nothing says which is right: a person must look. */
  | {
      readonly what: 'undecided';
      readonly stream: string;
      readonly regions: readonly string[];
      readonly sequence?: number;
    }
  /** The copies of a stream that was wrong are the same again. */
  | { readonly what: 'same_again'; readonly stream: string }
  /** A mirror that got nothing had its consumer looked after. */
  | { readonly what: 'looked_after'; readonly stream: string }
  /** This region's copy is being mended from another's. */
  | {
      readonly what: 'mending';
      readonly stream: string;
      readonly fault: Fault;
      readonly from: string;
    }
  | {
      readonly what: 'mended';
      readonly stream: string;
      readonly fault: Fault;
      readonly from: string;
      readonly figures: MendFigures;
    }
  /** It did not work this time; it is tried again. */
  | { readonly what: 'mend_failed'; readonly stream: string; readonly reason: string };

export interface MendFigures {
  /** How many messages the copy has now. */
  readonly messages: number;
  /** How many messages that no other copy has were stored again at the end. */
  readonly appendedAgain: number;
  /** How many went to `ASIDE_<region>`. */
  readonly setAside: number;
  /** From the first sign of the damage to the end. */
  readonly sinceNoticedMs: number;
  readonly mendingMs: number;
}

/** One line for a log. */
export function describeNote(note: CopyNote): string {
  const at = 'sequence' in note && note.sequence !== undefined ? ` from ${note.sequence} on` : '';
  switch (note.what) {
    case 'wrong':
      return `The copy of ${note.stream} in ${note.region} is wrong${at}: ${note.fault}.`;
    case 'undecided':
      return `The copies of ${note.stream} in ${note.regions.join(', ')} differ${at}.`;
    case 'same_again':
      return `The copies of ${note.stream} are the same again.`;
    case 'looked_after':
      return `The mirror ${note.stream} got nothing; its consumer was looked after.`;
    case 'mending':
      return `${note.stream} (${note.fault}) is being mended from ${note.from}.`;
    case 'mended': {
      const { messages, appendedAgain, setAside, mendingMs } = note.figures;
      return (
        `${note.stream} (${note.fault}) was mended from ${note.from} in ${Math.round(mendingMs)} ms: ` +
        `${messages} messages, ${appendedAgain} stored again, ${setAside} set aside.`
      );
    }
    case 'mend_failed':
      return `${note.stream} could not be mended: ${note.reason}`;
    default:
      return unreachable(note);
  }
}
