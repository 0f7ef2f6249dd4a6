/** One series at a moment. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is exposed, `ageSeconds` before the moment of the evaluation. */
export type Samples = (ageSeconds: number) => readonly Sample[];

const token =
  /\s*(?:([a-zA-Z_:][\w:]*)|(\d+(?:\.\d+)?)([smh]?)|("[^"]*")|(==|!=|>=|<=|[><{}()=,]|\[|\]))/y;
const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600 };

interface Token {
  readonly text: string;
  readonly number?: number;
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < expression.trimEnd().length) {
    const at = token.lastIndex;
    const match = token.exec(expression);
    if (match === null) throw new SyntaxError(`Not understood: ${expression.slice(at)}`);
    const [, word, digits, unit, text, sign] = match;
    tokens.push(
      digits === undefined
        ? { text: word ?? text ?? sign ?? '' }
        : { text: digits, number: Number(digits) * (units[unit ?? ''] as number) },
    );
  }
  return tokens;
}

/**
 * The part of PromQL that the alert rules use: selectors with equal labels, comparisons with numbers,
 * `and`, `and on (…)`, `or`, `max by (…)`, `increase` over a window. Binary operators bind as in Prometheus.
 */
export function evaluate(expression: string, samples: Samples): Sample[] {
  const parser = new Parser(tokensOf(expression), samples);
  return parser.whole();
}

/** The names of the metrics that an expression looks at. */
export function metricsIn(expression: string): string[] {
  return [...new Set(expression.match(/meridian_\w+/g) ?? [])];
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #samples: Samples;
  #at = 0;

  constructor(tokens: readonly Token[], samples: Samples) {
    this.#tokens = tokens;
    this.#samples = samples;
  }

  whole(): Sample[] {
    const result = this.#or();
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new SyntaxError(`Not expected here: ${rest.text}`);
    return result;
  }

  #or(): Sample[] {
    let left = this.#and();
    while (this.#take('or')) {
      const right = this.#and();
      const known = new Set(left.map((one) => keyOf(one)));
      left = [...left, ...right.filter((one) => !known.has(keyOf(one)))];
    }
    return left;
  }

  #and(): Sample[] {
    let left = this.#comparison();
    while (this.#take('and')) {
      const on = this.#take('on') ? this.#list() : undefined;
      const right = new Set(this.#comparison().map((one) => keyOf(one, on)));
      left = left.filter((one) => right.has(keyOf(one, on)));
    }
    return left;
  }

  #comparison(): Sample[] {
    const left = this.#vector();
    const sign = this.#tokens[this.#at]?.text ?? '';
    const compare = comparisons[sign];
    if (compare === undefined) return left;
    this.#at += 1;
    const limit = this.#tokens[this.#at]?.number;
    if (limit === undefined) throw new SyntaxError(`A number is expected after ${sign}`);
    this.#at += 1;
    return left.filter(({ value }) => compare(value, limit));
  }

  #vector(): Sample[] {
    if (this.#take('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (this.#take('max')) {
      this.#expect('by');
      const labels = this.#list();
      this.#expect('(');
      const inner = this.#or();
      this.#expect(')');
      return maxBy(inner, labels);
    }
    if (this.#take('increase')) {
      this.#expect('(');
      const select = this.#selector();
      this.#expect('[');
      const seconds = this.#tokens[this.#at]?.number ?? 0;
      this.#at += 1;
      this.#expect(']');
      this.#expect(')');
      const before = new Map(
        select(this.#samples(seconds)).map((one) => [keyOf(one), one.value] as const),
      );
      // What was not there before the window has not increased, as in Prometheus.
      return select(this.#samples(0)).flatMap((one) => {
        const was = before.get(keyOf(one));
        return was === undefined ? [] : [{ ...one, value: one.value - was }];
      });
    }
    return this.#selector()(this.#samples(0));
  }

  #selector(): (samples: readonly Sample[]) => Sample[] {
    const name = this.#tokens[this.#at]?.text ?? '';
    this.#at += 1;
    const wanted: [string, string][] = [];
    if (this.#take('{')) {
      while (!this.#take('}')) {
        const label = this.#tokens[this.#at]?.text ?? '';
        this.#at += 1;
        this.#expect('=');
        wanted.push([label, (this.#tokens[this.#at]?.text ?? '').slice(1, -1)]);
        this.#at += 1;
        this.#take(',');
      }
    }
    return (samples) =>
      samples.filter(
        (one) => one.name === name && wanted.every(([label, value]) => one.labels[label] === value),
      );
  }

  #list(): string[] {
    this.#expect('(');
    const labels: string[] = [];
    while (!this.#take(')')) {
      labels.push(this.#tokens[this.#at]?.text ?? '');
      this.#at += 1;
      this.#take(',');
    }
    return labels;
  }

  #take(text: string): boolean {
    if (this.#tokens[this.#at]?.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) {
      throw new SyntaxError(
        `${text} is expected, not ${this.#tokens[this.#at]?.text ?? 'the end'}`,
      );
    }
  }
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

/** The labels that tell a series from the others, the name left out as operators do. */
function keyOf({ labels }: Sample, on?: readonly string[]): string {
  const names = on ?? Object.keys(labels).toSorted();
  return JSON.stringify(names.map((name) => [name, labels[name] ?? '']));
}

function maxBy(samples: readonly Sample[], labels: readonly string[]): Sample[] {
  const groups = new Map<string, Sample>();
  for (const one of samples) {
    const key = keyOf(one, labels);
    const kept = Object.fromEntries(labels.map((label) => [label, one.labels[label] ?? '']));
    const value = Math.max(groups.get(key)?.value ?? -Infinity, one.value);
    groups.set(key, { name: '', labels: kept, value });
  }
  return [...groups.values()];
}
