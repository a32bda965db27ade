import type { Finding, Report } from "../../src/check/report.ts";
import { groupOf, groups, type Scenario } from "../../src/check/scenario.ts";
import { scenarios } from "../../src/check/scenarios/index.ts";

/** One server's results. */
export interface Column {
  readonly name: string;
  readonly setUp: string;
  readonly versions: readonly string[];
  readonly report: Report;
}

/** The page: what was set up, what came of each scenario, and what was found where one failed. */
export function results(columns: readonly Column[]): string {
  const { node } = process.versions;
  return [
    "# What posthaste check says",
    "",
    "`bench/check/run.ts` writes this page: `node --conditions=posthaste-source bench/check/run.ts`. It starts each server on this machine, and tries the scenarios of [`posthaste check`](../../docs/check.md) with its two operations, `POST /users` (an email is unique) and `POST /orders` (nothing is). All of them sign in with a bearer token, `alice` here and `bob` as the second identity. Node " +
      `${node}.`,
    "",
    "The servers of other packages are in [`servers/`](servers/), written as the packages' documentation says and as a careful developer would: schemas are checked, rows are in SQLite, and each call of the database takes 2 ms, as one across a network does. Without that wait, requests of one process would hardly ever meet. Keys are in memory, the default of each.",
    "",
    ...setUps(columns),
    "",
    "| | passed | must failed | should failed | noted | not tested | not claimed |",
    "|---|---|---|---|---|---|---|",
    ...columns.map(({ name, report: { summary } }) =>
      row([
        name,
        summary.passed,
        summary.mustsBroken,
        summary.shouldsBroken,
        summary.noted,
        summary.notTested,
        summary.notClaimed,
      ]),
    ),
    "",
    "The numbers count both operations. ✔ passed, **✖** a must failed, ✖ a should failed, i noted, – not tested or not claimed; of both operations, the worse. A “should” of the keys is a SHOULD of the draft, or a rule of [docs/check.md](../../docs/check.md#rules-of-keys): a package that never promised it has broken no promise. Rules about statuses, bodies and types are about the framework and the handler more than about the package for keys.",
    ...groups.flatMap((group) => table(columns, group)),
    "",
    "## What was found",
    ...columns.flatMap(found),
    "",
  ].join("\n");
}

function setUps(columns: readonly Column[]): string[] {
  return [
    "| | versions | set up |",
    "|---|---|---|",
    ...columns.map(({ name, versions, setUp }) => row([name, versions.join(", "), setUp])),
  ];
}

const titles: Readonly<Record<(typeof groups)[number], string>> = {
  keys: "Idempotency keys",
  statuses: "Statuses and headers",
  bodies: "Bodies",
  "content-types": "Content types",
  framing: "Framing",
  problems: "Problems",
};

function table(columns: readonly Column[], group: (typeof groups)[number]): string[] {
  const rows = scenarios.filter((scenario) => groupOf(scenario) === group);
  return [
    "",
    `## ${titles[group]}`,
    "",
    row(["", ...columns.map(({ name }) => name)]),
    row(["---", ...columns.map(() => "---")]),
    ...rows.map((scenario) =>
      row([scenario.rule, ...columns.map(({ report }) => mark(worst(report, scenario)))]),
    ),
  ];
}

const ORDER: readonly Finding["result"][] = [
  "failed",
  "noted",
  "passed",
  "not-tested",
  "not-claimed",
];

function worst({ operations }: Report, { id }: Scenario): Finding | undefined {
  const all = operations.flatMap(({ findings }) => findings.filter((each) => each.id === id));
  const weight = ({ result, level }: Finding) =>
    ORDER.indexOf(result) * 2 + (level === "must" ? 0 : 1);
  return all.sort((a, b) => weight(a) - weight(b))[0];
}

function mark(finding: Finding | undefined): string {
  switch (finding?.result) {
    case "passed":
      return "✔";
    case "failed":
      return finding.level === "must" ? "**✖**" : "✖";
    case "noted":
      return `i: ${finding.note}`;
    default:
      return "–";
  }
}

function found({ name, report }: Column): string[] {
  const failures = new Map<string, { finding: Finding; at: string[] }>();
  for (const operation of report.operations) {
    for (const finding of operation.findings.filter(({ result }) => result === "failed")) {
      const key = `${finding.id} ${finding.level}`;
      const before = failures.get(key);
      if (before === undefined) failures.set(key, { finding, at: [operation.name] });
      else before.at.push(operation.name);
    }
  }
  const lines = [...failures.values()].map(({ finding, at }) => {
    const { id, level, rule, note, sections } = finding;
    return row([level, `\`${id}\``, at.join(", "), rule, note, sections.join(", ")]);
  });
  const head = ["| | | at | rule | found | read |", "|---|---|---|---|---|---|"];
  return ["", `### ${name}`, "", ...(lines.length === 0 ? ["Nothing."] : [...head, ...lines])];
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}
