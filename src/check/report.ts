import type { Exchange } from "./message.ts";
import type { Group } from "./scenario.ts";
import { commandOf, shownAnswer, shownRequest } from "./shown.ts";
import type { Level, Verdict } from "./verdict.ts";

/** What came of a check; `posthaste check --json` prints it. */
export interface Report {
  readonly base: string;
  /** URL or file that the operations were read from. */
  readonly document: string;
  readonly operations: readonly OperationReport[];
  /** Operations that were not tried, each with the reason. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly summary: Summary;
  /** Whether it ended before everything was tried. */
  readonly stopped: boolean;
}

export interface OperationReport {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** What came of one scenario at one operation. */
export interface Finding {
  readonly id: string;
  readonly group: Group;
  readonly rule: string;
  readonly level: Level;
  readonly result: Verdict["result"];
  /** What was found, or why nothing was; `""` where there is nothing to say. */
  readonly note: string;
  readonly sections: readonly string[];
  /** What was sent and what came back; only of failures. */
  readonly exchanges: readonly ShownExchange[];
}

export interface ShownExchange {
  readonly sent: string;
  readonly got: string;
  /** A command that sends it again. */
  readonly command: string;
}

export interface Summary {
  /** No must is broken, and something was tried. */
  readonly ok: boolean;
  readonly passed: number;
  readonly mustsBroken: number;
  readonly shouldsBroken: number;
  readonly noted: number;
  readonly notTested: number;
  readonly notClaimed: number;
}

/** Of a longer exchange, the first and the last ones are shown. */
const MOST_EXCHANGES = 6;

export function shownExchanges(
  exchanges: readonly Exchange[],
  secrets: ReadonlySet<string>,
): ShownExchange[] {
  const some =
    exchanges.length <= MOST_EXCHANGES
      ? exchanges
      : [...exchanges.slice(0, MOST_EXCHANGES - 1), exchanges.at(-1)!];
  return some.map((exchange) => ({
    sent: shownRequest(exchange, secrets),
    got:
      exchange.answer === undefined
        ? (exchange.failure ?? "the connection was closed without an answer")
        : shownAnswer(exchange.answer),
    command: commandOf(exchange, secrets),
  }));
}

export function summaryOf(operations: readonly OperationReport[]): Summary {
  const findings = operations.flatMap((operation) => operation.findings);
  const count = (result: Finding["result"], level?: Level) =>
    findings.filter((each) => each.result === result && (level ?? each.level) === each.level)
      .length;
  const mustsBroken = count("failed", "must");
  return {
    ok: mustsBroken === 0 && findings.length > 0,
    passed: count("passed"),
    mustsBroken,
    shouldsBroken: count("failed", "should"),
    noted: count("noted"),
    notTested: count("not-tested"),
    notClaimed: count("not-claimed"),
  };
}
