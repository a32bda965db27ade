import type { Finding, OperationReport, Report, Summary } from "../check/report.ts";
import type { Progress } from "../check/run.ts";
import { groups } from "../check/scenario.ts";
import type { painter } from "./terminal.ts";

type Paint = ReturnType<typeof painter>;

const GROUP_TITLES: Readonly<Record<Finding["group"], string>> = {
  statuses: "Statuses and headers",
  bodies: "Bodies",
  "content-types": "Content types",
  framing: "Framing",
  keys: "Idempotency keys",
  problems: "Problems",
};

/**
 * A report for people: a table for each group with a column for each operation, and then each
 * failure with all that it takes to see it.
 */
export function checkReport(report: Report, paint: Paint, columns = 100): string {
  const width = Math.min(Math.max(columns, 60), 140);
  const { operations } = report;
  const lines = ["", `${paint("bold", "posthaste check")} ${report.base}`];
  lines.push(paint("dim", `operations of ${report.document}`));
  for (const [index, { name }] of operations.entries())
    lines.push(
      `  ${operations.length > 1 ? `${index + 1}  ` : ""}${paint(["bold", "cyan"], name)}`,
    );
  for (const group of groups) lines.push(...table(group, operations, paint, width));
  if (report.skipped.length > 0) {
    lines.push("", `  ${paint("bold", "Not tried")}`);
    for (const { name, reason } of report.skipped) {
      const [first = "", ...more] = wrapped(`${name}: ${reason}`, width - 5);
      lines.push(`  ${paint("dim", "–")}  ${first}`, ...more.map((line) => `     ${line}`));
    }
  }
  const failures = failuresOf(operations);
  if (failures.length > 0) lines.push("", `  ${paint("bold", "What failed")}`);
  for (const each of failures) lines.push(...failureLines(each, paint, width));
  lines.push("", ...summaryLines(report.summary, paint));
  if (report.stopped) lines.push(`  ${paint("yellow", "Stopped before everything was tried.")}`);
  return `${lines.join("\n")}\n\n`;
}

/** The findings of one scenario, in the order of the operations; none where it was not tried. */
type Row = readonly (Finding | undefined)[];

function table(
  group: Finding["group"],
  operations: readonly OperationReport[],
  paint: Paint,
  width: number,
): string[] {
  const all = operations.flatMap(({ findings }) => findings.filter((each) => each.group === group));
  if (all.length === 0) return [];
  const ids = [...new Set(all.map(({ id }) => id))];
  const rows = ids.map(
    (id): Row => operations.map(({ findings }) => findings.find((each) => each.id === id)),
  );
  const numbers = operations.length > 1 ? operations.map((_, index) => index + 1).join(" ") : " ";
  const title = `  ${paint("dim", numbers)}  ${paint("bold", GROUP_TITLES[group])}`;
  // Where the server does not do this at all, one line says so.
  const [only, ...others] = new Set(all.map(({ result, note }) => `${result} ${note}`));
  if (all.length > 1 && others.length === 0 && only!.startsWith("not-claimed"))
    return ["", title, ...tableRow(rows[0]!, paint, width, "not claimed")];
  return ["", title, ...rows.flatMap((row) => tableRow(row, paint, width))];
}

function tableRow(row: Row, paint: Paint, width: number, instead?: string): string[] {
  const marks = row.map((finding) => (finding === undefined ? " " : mark(finding, paint)));
  const found = row.filter((finding) => finding !== undefined);
  const rule = instead ?? found[0]!.rule;
  const indent = 2 + 2 * row.length + 1;
  const [first = "", ...more] = wrapped(rule, width - indent);
  const lines = [
    `  ${marks.join(" ")}  ${first}`,
    ...more.map((line) => `${" ".repeat(indent)}${line}`),
  ];
  const notes = notesOf(row);
  const [note] = notes;
  if (note === undefined) return lines;
  const fits = indent + rule.length + 3 + note.text.length <= width;
  if (notes.length === 1 && fits && more.length === 0)
    return [`${lines[0]}  ${paint(note.style, note.text)}`];
  const below = notes.flatMap(({ text, style }) =>
    wrapped(text, width - indent - 2).map(
      (line) => `${" ".repeat(indent + 2)}${paint(style, line)}`,
    ),
  );
  return [...lines, ...below];
}

/** What is said of a row: once where it is the same of all, or else with the operations' numbers. */
function notesOf(row: Row): { text: string; style: "dim" | "red" | "yellow" }[] {
  const said = new Map<string, { numbers: number[]; finding: Finding }>();
  for (const [index, finding] of row.entries()) {
    if (finding === undefined) continue;
    const text = prefix(finding) + finding.note;
    const before = said.get(text);
    if (before === undefined) said.set(text, { numbers: [index + 1], finding });
    else before.numbers.push(index + 1);
  }
  return [...said]
    .filter(([text]) => text !== "")
    .map(([text, { numbers, finding }]) => ({
      text: said.size === 1 ? text : `${numbers.join(", ")}: ${text}`,
      style: finding.result === "failed" ? colourOf(finding) : "dim",
    }));
}

function prefix({ result, level, note }: Finding): string {
  const colon = note === "" ? "" : ": ";
  switch (result) {
    case "failed":
      return `${level}${colon}`;
    case "not-tested":
      return `not tested${colon}`;
    case "not-claimed":
      return `not claimed${colon}`;
    default:
      return "";
  }
}

function colourOf({ level }: Finding): "red" | "yellow" {
  return level === "must" ? "red" : "yellow";
}

function mark(finding: Finding, paint: Paint): string {
  switch (finding.result) {
    case "passed":
      return paint("green", "✔");
    case "failed":
      return paint(colourOf(finding), "✖");
    case "noted":
      return paint("cyan", "i");
    default:
      return paint("dim", "–");
  }
}

/** A failure, with the operations at which it was found: the first one is shown. */
interface Failure {
  readonly operations: readonly string[];
  readonly finding: Finding;
}

function failuresOf(operations: readonly OperationReport[]): Failure[] {
  const failures = new Map<string, { operations: string[]; finding: Finding }>();
  for (const { name, findings } of operations) {
    for (const finding of findings.filter(({ result }) => result === "failed")) {
      const key = `${finding.id} ${finding.level}`;
      const before = failures.get(key);
      if (before === undefined) failures.set(key, { operations: [name], finding });
      else before.operations.push(name);
    }
  }
  return [...failures.values()];
}

const LABEL_WIDTH = 11;

function failureLines({ operations, finding }: Failure, paint: Paint, width: number): string[] {
  const { rule, note, level, sections, exchanges, id } = finding;
  const label = (name: string) => `    ${paint("dim", name.padEnd(LABEL_WIDTH))}`;
  const labelled = (name: string, text: string) =>
    wrapped(text, width - LABEL_WIDTH - 4).map(
      (line, index) => `${label(index === 0 ? name : "")}${line}`,
    );
  const [first = "", ...others] = operations;
  const lines = [
    "",
    `  ${paint(colourOf(finding), `✖ ${level}`)}  ${paint("bold", id)}  ${first}`,
    ...labelled("expected", rule),
    ...labelled("found", note),
    ...(others.length > 0 ? labelled("also at", others.join(", ")) : []),
    ...labelled("read", sections.join(", ")),
  ];
  const number = (index: number) => (exchanges.length > 1 ? ` ${index + 1}` : "");
  const firstWith = exchanges.map(({ sent }) => exchanges.findIndex((each) => each.sent === sent));
  for (const [index, { sent, got }] of exchanges.entries()) {
    const same = firstWith[index]!;
    lines.push(
      ...labelled(`sent${number(index)}`, same < index ? `the same as ${same + 1}` : sent),
    );
    lines.push(...labelled(`got${number(index)}`, got));
  }
  // A command is to be pasted, so its line is not broken.
  for (const [index, { command }] of exchanges.entries())
    if (firstWith[index] === index)
      lines.push(`${label(`try it${number(index)}`)}${paint("cyan", command)}`);
  return lines;
}

function summaryLines(summary: Summary, paint: Paint): string[] {
  const { mustsBroken } = summary;
  const verdict = summary.ok
    ? paint(["bold", "green"], "✔ No must is broken.")
    : paint(
        ["bold", "red"],
        `✖ ${mustsBroken === 1 ? "A must is" : `${mustsBroken} musts are`} broken.`,
      );
  const counts = [
    `${summary.passed} passed`,
    `${summary.mustsBroken} must and ${summary.shouldsBroken} should failed`,
    `${summary.noted} noted`,
    `${summary.notTested} not tested`,
    `${summary.notClaimed} not claimed`,
  ];
  return [`  ${verdict}  ${paint("dim", counts.join(", "))}`];
}

/** Lines of at most that many columns; a word that is longer keeps its line. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line.trimEnd());
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line.trimEnd()];
}

/** One line that says what is being tried, written over itself. */
export function progressLine(stream: NodeJS.WriteStream): {
  show(progress: Progress): void;
  clear(): void;
} {
  return {
    show({ operation, rule, done, of }) {
      const text = `${done}/${of}  ${operation}  ${rule}`;
      stream.write(`\r\x1b[2K${text.slice(0, (stream.columns || 80) - 1)}`);
    },
    clear() {
      stream.write("\r\x1b[2K");
    },
  };
}
