/** How one field of a message looks in the proto3 JSON form, and the rules it keeps. */
export interface FieldShape {
  /** lowerCamelCase, as in JSON. */
  readonly name: string;
  readonly kind:
    | 'string'
    | 'boolean'
    | 'uint32'
    | 'int32'
    | 'double'
    | 'timestamp'
    | 'enum'
    | 'message';
  /** The message or enumeration, for those kinds. */
  readonly of?: string;
  readonly repeated?: true;
  /** An object with any keys, whose values are of `kind`. */
  readonly map?: true;
  readonly required?: true;
  readonly identifier?: true;
  readonly personal?: true;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Characters of a text, or items of a list or map. */
  readonly maximumLength: number;
}

/** One event or command that travels. */
export interface Contract {
  /** The CloudEvents type, such as `meridian.contact.queued.v1`. */
  readonly type: string;
  /** Whom it is about: contact, reservation, agent, queue or routing. */
  readonly entity: string;
  readonly kind: 'EVENT' | 'COMMAND';
  /** The scope that an API key needs to publish it (commands only). */
  readonly scope: 'publish' | 'admin';
  /** The message's name in the generated types. */
  readonly message: string;
  readonly protobufName: string;
  readonly dataClass: 'none' | 'personal';
  readonly summary: string;
}

/** What is wrong with a piece of data. */
export interface Problem {
  /** Where, as a JSON pointer (RFC 6901) from the root of the event, such as `/data/queueId`. */
  readonly pointer: string;
  readonly code:
    | 'missing'
    | 'unknown'
    | 'type'
    | 'too_long'
    | 'too_small'
    | 'too_large'
    | 'not_allowed'
    | 'identifier'
    | 'mismatch';
  /** One sentence that names the field and its value. */
  readonly detail: string;
}
