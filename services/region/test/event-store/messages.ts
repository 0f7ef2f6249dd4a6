/** What a process with one of the official clients is asked to do. */
export type ClientRequest =
  | {
      readonly kind: 'append';
      readonly call: number;
      /** Gateways to turn to, the first one first; the next one when one cannot be reached. */
      readonly addresses: readonly string[];
      readonly stream: string;
      readonly eventId: string;
      /** The revision of the stream's last event; null where there is none. */
      readonly expected: number | null;
    }
  | {
      readonly kind: 'read';
      readonly call: number;
      readonly address: string;
      readonly stream: string;
    }
  | Follow;

/** Following one stream, or all events of it by a filter of `$all`. */
export interface Follow {
  readonly kind: 'follow';
  readonly name: string;
  readonly addresses: readonly string[];
  readonly stream: string;
  readonly isAll: boolean;
  /** Whether the client is the one that appends by the first address, and stays where it is led. */
  readonly isShared?: boolean;
}

/** What it says. */
export type ClientReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'appended';
      readonly call: number;
      readonly revision: number;
      /** The types of the errors before it was stored. */
      readonly refusals: readonly string[];
    }
  | { readonly kind: 'read'; readonly call: number; readonly ids: readonly string[] }
  | { readonly kind: 'failed'; readonly call: number; readonly why: string }
  | {
      readonly kind: 'event';
      readonly name: string;
      readonly id: string;
      readonly revision: number;
      /** Which of the addresses it came from. */
      readonly at: number;
    }
  | { readonly kind: 'checkpoint'; readonly name: string; readonly position: string }
  | { readonly kind: 'caught-up'; readonly name: string }
  | { readonly kind: 'dropped'; readonly name: string; readonly why: string; readonly at: number };
