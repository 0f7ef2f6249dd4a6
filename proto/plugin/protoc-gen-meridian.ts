#!/usr/bin/env node
// A protoc plugin: from the contracts in proto/ it writes
//   domain.ts     plain TypeScript types of the proto3 JSON form, and the unions of events and commands
//   contracts.ts  the same contracts as data: types, kinds, scopes and the rules of every field
// Both are free of any runtime, so that the domain code may import the types.
import { createEcmaScriptPlugin, runNodeJs, type Schema } from '@bufbuild/protoplugin';
import {
  getOption,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
} from '@bufbuild/protobuf';
import {
  event as eventOption,
  field as fieldOption,
  EventOptions_Kind,
  EventOptions_Scope,
} from '../../libs/wire/src/gen/meridian/options/v1/options_pb.ts';

const ownPackage = /^meridian\.(?!options)/;

/** ContactIvrEnded.IvrExit -> IvrExit; unique across packages, which the plugin checks. */
const nameOf = (desc: DescMessage | DescEnum): string => desc.name;

const enumValues = (desc: DescEnum): string[] =>
  desc.values.filter((value) => value.number !== 0).map((value) => value.name);

function scalarKind(field: DescField): string {
  switch (field.scalar) {
    case ScalarType.STRING:
      return 'string';
    case ScalarType.BOOL:
      return 'boolean';
    case ScalarType.UINT32:
      return 'uint32';
    case ScalarType.INT32:
      return 'int32';
    case ScalarType.DOUBLE:
      return 'double';
    default:
      throw new Error(
        `${field}: this scalar type has no place in the contracts yet.\n` +
          'Use string, bool, uint32, int32 or double, or teach proto/plugin the new one.',
      );
  }
}

interface FieldShape {
  name: string;
  kind: string;
  repeated?: true;
  map?: true;
  of?: string;
  required?: true;
  identifier?: true;
  personal?: true;
  maximum?: number;
  minimum?: number;
  maximumLength: number;
}

/** Lengths when a field says none: characters of a text, items of a list or map. */
const defaultLength = { text: 256, items: 100 };

function shapeOf(field: DescField): FieldShape {
  const rules = getOption(field, fieldOption);
  const isList = field.fieldKind === 'list';
  const isMap = field.fieldKind === 'map';
  const message =
    field.fieldKind === 'message' || (isList && field.listKind === 'message')
      ? field.message
      : undefined;
  const enumeration =
    field.fieldKind === 'enum' || (isList && field.listKind === 'enum') ? field.enum : undefined;
  const kind = isMap
    ? 'string'
    : message?.typeName === 'google.protobuf.Timestamp'
      ? 'timestamp'
      : message
        ? 'message'
        : enumeration
          ? 'enum'
          : scalarKind(field);
  const shape: FieldShape = {
    name: field.jsonName,
    kind,
    maximumLength:
      rules.maximumLength || (isList || isMap ? defaultLength.items : defaultLength.text),
  };
  if (kind === 'message') shape.of = nameOf(message as DescMessage);
  if (kind === 'enum') shape.of = nameOf(enumeration as DescEnum);
  if (isList) shape.repeated = true;
  if (isMap) shape.map = true;
  if (rules.required) shape.required = true;
  if (rules.identifier) shape.identifier = true;
  if (rules.personal) shape.personal = true;
  if (rules.hasBounds) Object.assign(shape, { minimum: rules.minimum, maximum: rules.maximum });
  return shape;
}

function typeOf(shape: FieldShape): string {
  const base =
    shape.kind === 'message' || shape.kind === 'enum'
      ? (shape.of as string)
      : shape.kind === 'string' || shape.kind === 'timestamp'
        ? 'string'
        : shape.kind === 'boolean'
          ? 'boolean'
          : 'number';
  if (shape.map) return `{ readonly [key: string]: ${base} }`;
  return shape.repeated ? `readonly ${base}[]` : base;
}

const quoted = (text: string): string => `'${text}'`;

function comment(text: string | undefined, indent: string): string {
  const lines = (text ?? '')
    .trim()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

interface Collected {
  enums: DescEnum[];
  messages: DescMessage[];
  leading: Map<string, string>;
}

function collect(schema: Schema): Collected {
  const enums: DescEnum[] = [];
  const messages: DescMessage[] = [];
  const visit = (message: DescMessage): void => {
    messages.push(message);
    enums.push(...message.nestedEnums);
    message.nestedMessages.filter((nested) => !nested.proto.options?.mapEntry).forEach(visit);
  };
  for (const file of schema.files.filter((each) => ownPackage.test(each.proto.package))) {
    enums.push(...file.enums);
    file.messages.forEach(visit);
  }
  const seen = new Map<string, string>();
  for (const desc of [...enums, ...messages]) {
    const other = seen.get(nameOf(desc));
    if (other !== undefined) {
      throw new Error(`${desc.typeName} and ${other} would both be called ${nameOf(desc)}.`);
    }
    seen.set(nameOf(desc), desc.typeName);
  }
  return { enums, messages, leading: new Map() };
}

interface Travelling {
  message: DescMessage;
  type: string;
  entity: string;
  kind: 'EVENT' | 'COMMAND';
  scope: string;
}

function travelling(messages: DescMessage[]): Travelling[] {
  return messages.flatMap((message) => {
    const options = getOption(message, eventOption);
    if (options.type === '') return [];
    const entity = options.type.split('.')[1] as string;
    if (!new RegExp(`^meridian\\.${entity}\\.[a-z_]+\\.v\\d+$`).test(options.type)) {
      throw new Error(
        `${message.typeName}: type "${options.type}" is not of the form meridian.<entity>.<name>.v<n>.`,
      );
    }
    return [
      {
        message,
        type: options.type,
        entity,
        kind:
          options.kind === EventOptions_Kind.COMMAND ? ('COMMAND' as const) : ('EVENT' as const),
        scope: options.scope === EventOptions_Scope.ADMIN ? 'admin' : 'publish',
      },
    ];
  });
}

const title = (entity: string): string => entity[0]?.toUpperCase() + entity.slice(1);

function domainFile(
  { enums, messages }: Collected,
  sent: Travelling[],
  docs: (desc: DescMessage | DescEnum | DescField) => string | undefined,
): string {
  const parts = [
    `/** What every event and command of the domain is: its type, whom it is about, and its data. */\n` +
      `export interface Typed<Type extends string, Data> {\n  readonly type: Type;\n` +
      `  /** The id of the contact, reservation, agent or queue that it is about. */\n  readonly subject: string;\n` +
      `  readonly data: Data;\n}\n`,
  ];
  for (const desc of enums) {
    parts.push(
      `${comment(docs(desc), '')}export type ${nameOf(desc)} =\n${enumValues(desc)
        .map((value) => `  | ${quoted(value)}`)
        .join('\n')};\n`,
    );
  }
  for (const desc of messages) {
    const fields = desc.fields.map((field) => {
      const shape = shapeOf(field);
      return `${comment(docs(field), '  ')}  readonly ${shape.name}${shape.required ? '' : '?'}: ${typeOf(shape)};\n`;
    });
    parts.push(
      fields.length === 0
        ? `${comment(docs(desc), '')}export type ${nameOf(desc)} = Readonly<Record<string, never>>;\n`
        : `${comment(docs(desc), '')}export interface ${nameOf(desc)} {\n${fields.join('')}}\n`,
    );
  }
  for (const kind of ['EVENT', 'COMMAND'] as const) {
    const entities = [
      ...new Set(sent.filter((each) => each.kind === kind).map((each) => each.entity)),
    ];
    const suffix = kind === 'EVENT' ? 'Event' : 'Command';
    for (const entity of entities) {
      const members = sent
        .filter((each) => each.kind === kind && each.entity === entity)
        .map((each) => `  | Typed<${quoted(each.type)}, ${nameOf(each.message)}>`);
      parts.push(`export type ${title(entity)}${suffix} =\n${members.join('\n')};\n`);
    }
    parts.push(
      `/** Every ${kind === 'EVENT' ? 'decision that the log can hold' : 'request that the edge accepts'}. */\n` +
        `export type Domain${suffix} =\n${entities.map((entity) => `  | ${title(entity)}${suffix}`).join('\n')};\n`,
    );
  }
  return parts.join('\n');
}

function contractsFile(
  { enums, messages }: Collected,
  sent: Travelling[],
  docs: (desc: DescMessage) => string | undefined,
): string {
  const lines: string[] = ["import type { Contract, FieldShape } from '../contract.ts';\n"];
  lines.push(
    '/** The values of every enumeration, UNSPECIFIED left out. */\n' +
      'export const enumerations: Readonly<Record<string, readonly string[]>> = {',
  );
  for (const desc of enums) {
    lines.push(`  ${nameOf(desc)}: [${enumValues(desc).map(quoted).join(', ')}],`);
  }
  lines.push(
    '};\n\n/** The fields of every message, by its name. */\n' +
      'export const shapes: Readonly<Record<string, readonly FieldShape[]>> = {',
  );
  for (const desc of messages) {
    lines.push(`  ${nameOf(desc)}: [`);
    for (const field of desc.fields) {
      const entries = Object.entries(shapeOf(field)).map(
        ([key, value]) => `${key}: ${typeof value === 'string' ? quoted(value) : value}`,
      );
      lines.push(`    { ${entries.join(', ')} },`);
    }
    lines.push('  ],');
  }
  lines.push(
    '};\n\n/** Every event and command that travels. */\nexport const contracts: readonly Contract[] = [',
  );
  for (const each of sent) {
    const summary = (docs(each.message) ?? '').trim().replaceAll(/\s+/g, ' ');
    const personal = each.message.fields.some((field) => getOption(field, fieldOption).personal);
    lines.push(
      `  {\n    type: ${quoted(each.type)},\n    entity: ${quoted(each.entity)},\n    kind: ${quoted(each.kind)},\n` +
        `    scope: ${quoted(each.scope)},\n    message: ${quoted(nameOf(each.message))},\n` +
        `    protobufName: ${quoted(each.message.typeName)},\n` +
        `    dataClass: ${quoted(personal ? 'personal' : 'none')},\n    summary: ${JSON.stringify(summary)},\n  },`,
    );
  }
  lines.push('];\n');
  return lines.join('\n');
}

runNodeJs(
  createEcmaScriptPlugin({
    name: 'protoc-gen-meridian',
    version: 'v1',
    generateTs(schema) {
      const collected = collect(schema);
      const sent = travelling(collected.messages);
      const docs = (desc: DescMessage | DescEnum | DescField): string | undefined =>
        leadingComment(schema, desc);
      const write = (path: string, text: string): void => {
        const file = schema.generateFile(path);
        file.print('// Generated from proto/ by scripts/gen. Do not edit.');
        for (const line of text.split('\n')) file.print(line);
      };
      write('domain.ts', domainFile(collected, sent, docs));
      write('contracts.ts', contractsFile(collected, sent, docs));
    },
  }),
);

/** The comment above a definition, from the file's source information. */
function leadingComment(
  schema: Schema,
  desc: DescMessage | DescEnum | DescField,
): string | undefined {
  const file = desc.kind === 'field' ? desc.parent.file : desc.file;
  const path = pathOf(desc);
  const found = file.proto.sourceCodeInfo?.location.find(
    (location) =>
      location.path.length === path.length &&
      location.path.every((part, index) => part === path[index]),
  );
  return found?.leadingComments;
}

function pathOf(desc: DescMessage | DescEnum | DescField): number[] {
  if (desc.kind === 'field') {
    return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
  }
  if (desc.kind === 'enum') {
    return desc.parent === undefined
      ? [5, desc.file.proto.enumType.indexOf(desc.proto)]
      : [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)];
  }
  return desc.parent === undefined
    ? [4, desc.file.proto.messageType.indexOf(desc.proto)]
    : [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)];
}
