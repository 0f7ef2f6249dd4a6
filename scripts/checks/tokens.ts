/** A small scanner of TypeScript: finds imports and names, never fooled by comments and strings. */

export type TokenKind = 'word' | 'string' | 'template' | 'regex' | 'number' | 'punctuation';

export interface Token {
  readonly kind: TokenKind;
  /** For strings the content without quotes; for all others the text as written. */
  readonly text: string;
  readonly line: number;
}

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
  readonly line: number;
}

const SPACE = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const WORD = /[#@]?[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
const NUMBER = /\d[\w.]*/y;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'?|"(?:[^"\\\n]|\\[\s\S])*"?/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
// The part of a template up to its end or to the next `${`; it starts at a backtick or at the `}`
// that closes a hole.
const TEMPLATE = /[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y;

const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'throw',
  'await',
  'yield',
]);

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function regexMayStart(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === 'word') return BEFORE_REGEX.has(previous.text);
  return previous.kind === 'punctuation' && !')]}'.includes(previous.text);
}

export function tokens(source: string): Token[] {
  const found: Token[] = [];
  // One entry an open template hole: how many braces are open inside it.
  const holes: number[] = [];
  let at = 0;
  let line = 1;
  const next = (): [TokenKind | 'skipped', string] => {
    const skipped = matchAt(SPACE, source, at) ?? matchAt(COMMENT, source, at);
    if (skipped !== undefined) return ['skipped', skipped];
    const character = source.charAt(at);
    const closesHole = character === '}' && holes.at(-1) === 0;
    if (character === '`' || closesHole) {
      if (closesHole) holes.pop();
      const text = matchAt(TEMPLATE, source, at) ?? character;
      if (text.endsWith('${')) holes.push(0);
      return ['template', text];
    }
    const word = matchAt(WORD, source, at);
    if (word !== undefined) return ['word', word];
    const string = matchAt(STRING, source, at);
    if (string !== undefined) return ['string', string];
    const number = matchAt(NUMBER, source, at);
    if (number !== undefined) return ['number', number];
    const regex = regexMayStart(found.at(-1)) ? matchAt(REGEX, source, at) : undefined;
    if (regex !== undefined) return ['regex', regex];
    if (holes.length > 0 && character === '{') holes.push((holes.pop() ?? 0) + 1);
    if (holes.length > 0 && character === '}') holes.push((holes.pop() ?? 1) - 1);
    return ['punctuation', character];
  };
  while (at < source.length) {
    const [kind, text] = next();
    if (kind === 'string') found.push({ kind, text: text.slice(1, -1), line });
    else if (kind !== 'skipped') found.push({ kind, text, line });
    at += text.length;
    for (const character of text) if (character === '\n') line += 1;
  }
  return found;
}

/** `from 'x'` at or after `start`, unless the statement ends before it. */
function fromClause(all: readonly Token[], start: number): string | undefined {
  for (let at = start; at < all.length; at += 1) {
    const token = all[at];
    const following = all[at + 1];
    if (token?.text === 'from' && token.kind === 'word' && following?.kind === 'string') {
      return following.text;
    }
    if (token?.text === ';' || token?.text === '(' || token?.text === '=') return undefined;
  }
  return undefined;
}

function importAt(all: readonly Token[], at: number): Import | undefined {
  const token = all[at];
  const [first, second] = [all[at + 1], all[at + 2]];
  if (token?.kind !== 'word' || first === undefined || all[at - 1]?.text === '.') return undefined;
  const { line } = token;
  if (token.text === 'import' || token.text === 'require') {
    if (first.text === '(' && first.kind === 'punctuation') {
      const specifier = second?.kind === 'string' ? second.text : undefined;
      return specifier === undefined
        ? undefined
        : { specifier, typeOnly: false, dynamic: true, line };
    }
    if (token.text === 'require') return undefined;
    if (first.kind === 'string') {
      return { specifier: first.text, typeOnly: false, dynamic: false, line };
    }
  } else if (token.text !== 'export' || !['*', '{', 'type'].includes(first.text)) return undefined;
  else if (first.text === 'type' && second?.text !== '{' && second?.text !== '*') return undefined;
  const specifier = fromClause(all, at + 1);
  if (specifier === undefined) return undefined;
  const typeOnly = first.text === 'type' && second?.text !== 'from' && second?.text !== ',';
  return { specifier, typeOnly, dynamic: false, line };
}

export function imports(source: string): Import[] {
  const all = tokens(source);
  return all.flatMap((_, at) => importAt(all, at) ?? []);
}
