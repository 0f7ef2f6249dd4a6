export type Colour = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'dim' | 'bold';

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
};

export type Paint = (colour: Colour, text: string) => string;

/** Colours for a terminal; none elsewhere, or when NO_COLOR is set. */
export function paintFor(io: {
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Paint {
  if (!io.isTty || (io.env['NO_COLOR'] ?? '') !== '') return (_colour, text) => text;
  return (colour, text) => `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m`;
}
