/** One column: its heading, and whether it holds numbers, which stand to the right. */
export interface Column {
  readonly heading: string;
  readonly isNumber?: boolean;
}

// Escapes that only colour do not take room.
// oxlint-disable-next-line no-control-regex
const escapes = /\u001b\[[0-9;]*m/g;

/** How many columns a text takes on a terminal, colours not counted. */
export function widthOf(text: string): number {
  return Array.from(text.replace(escapes, '')).length;
}

/**
 * A table as text: columns two blanks apart, as wide as their longest cell, no blanks at line ends.
 * Without rows there is only the heading.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => widthOf(line[index] ?? ''))),
  );
  return (
    lines
      .map((line) =>
        columns
          .map(({ isNumber }, index) => {
            const cell = line[index] ?? '';
            const padding = ' '.repeat((widths[index] ?? 0) - widthOf(cell));
            return isNumber === true ? padding + cell : cell + padding;
          })
          .join('  ')
          .trimEnd(),
      )
      .join('\n') + '\n'
  );
}
