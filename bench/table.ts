import { styleText } from "node:util";

/** Colours show on a terminal only, and where `NO_COLOR` doesn't forbid them. */
export function dim(text: string): string {
  return styleText("dim", text, { stream: process.stdout });
}

export function bold(text: string): string {
  return styleText("bold", text, { stream: process.stdout });
}

/** Columns as wide as their widest cell: the first `left` to the left, the others to the right. */
export function table(header: readonly string[], rows: readonly string[][], left = 1): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column < left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join("   ")
      .trimEnd();
  return [dim(line(header)), ...rows.map(line)].join("\n");
}

/** 84,281 · 146 · 10.3 · 0.065: as many digits as mean something. */
export function figure(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 100) return Math.round(value).toLocaleString("en");
  if (value >= 10) return value.toFixed(1);
  return value.toFixed(value >= 1 ? 2 : 3);
}
