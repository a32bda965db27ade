import { isJsonObject, type JsonObject } from "../../kernel/json.ts";
import { type Answer, type Exchange, jsonOf, mediaTypeOf, textOf } from "../message.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { failed, notClaimed, noted, notTested, passed } from "../verdict.ts";

const PROBLEM = "application/problem+json";

type Answered = Exchange & { readonly answer: Answer };

/** These look at the answers to everything that was tried before, and so stand last. */
export const problems: readonly Scenario[] = [
  {
    id: "problems/media-type",
    rule: `Errors are ${PROBLEM}, as the document says`,
    level: "should",
    sections: ["RFC 9457 §3", "the server's own document"],
    async try(trial) {
      if (!trial.operation.problems) return notClaimed("problem details are not documented");
      const others = errorsOf(trial).filter(({ answer }) => mediaTypeOf(answer) !== PROBLEM);
      if (others.length === 0) return passed();
      const told = others.map(
        ({ answer }) => `${answer.status} ${mediaTypeOf(answer) || "no type"}`,
      );
      return failed([...new Set(told)].join(", "), undefined, others.slice(0, 1));
    },
  },
  {
    id: "problems/status",
    rule: "The status that a problem names is that of the answer",
    level: "must",
    sections: ["RFC 9457 §3.1.2"],
    async try(trial) {
      const found = problemsOf(trial);
      if (found.length === 0) return notClaimed("no answer was a problem");
      const wrong = found.find(
        ({ answer, problem }) => problem.status !== undefined && problem.status !== answer.status,
      );
      if (wrong === undefined) return passed();
      return failed(
        `${wrong.answer.status} with "status": ${JSON.stringify(wrong.problem.status)}`,
      );
    },
  },
  {
    id: "problems/members",
    rule: "A problem is a JSON object, and its members have the types of the RFC",
    level: "must",
    sections: ["RFC 9457 §3.1", "RFC 9457 Appendix A"],
    async try(trial) {
      const all = errorsOf(trial).filter(({ answer }) => mediaTypeOf(answer) === PROBLEM);
      if (all.length === 0) return notClaimed("no answer was a problem");
      for (const error of all) {
        const fault = faultOf(jsonOf(error.answer));
        if (fault !== undefined)
          return failed(`${error.answer.status}: ${fault}`, undefined, [error]);
      }
      return passed();
    },
  },
  {
    id: "problems/every-fault",
    rule: "A validation failure tells every member that is wrong",
    level: "should",
    sections: ["RFC 9457 §3"],
    needs: ["bodies/invalid"],
    async try(trial) {
      const { invalid } = trial.operation;
      if (invalid === undefined || invalid.wrong.length < 2)
        return notTested("no body with two faults is known");
      if (!trial.operation.problems) return notClaimed("problem details are not documented");
      const answer = await trial.post(JSON.stringify(invalid.value));
      const text = textOf(answer);
      const untold = invalid.wrong.filter((name) => !text.includes(name));
      if (untold.length > 0) return failed(`nothing is said of ${untold.join(", ")}`);
      const pointed = invalid.wrong.every((name) => text.includes(`/${name}`));
      return pointed ? passed("with JSON Pointers") : passed("without JSON Pointers");
    },
  },
  {
    id: "problems/internals",
    rule: "No error tells what the server is made of",
    level: "should",
    sections: ["RFC 9457 §5", "CWE-209"],
    async try(trial) {
      const all = errorsOf(trial);
      for (const error of all) {
        const leak = leakIn(textOf(error.answer));
        if (leak !== undefined)
          return failed(`${error.answer.status} with ${leak}`, undefined, [error]);
      }
      return all.length === 0 ? notTested("there was no error") : passed();
    },
  },
  {
    id: "problems/server-errors",
    rule: "What the server answers with 5xx",
    level: "info",
    sections: ["RFC 9110 §15.6"],
    async try(trial) {
      const count = errorsOf(trial).filter(({ answer }) => answer.status >= 500).length;
      return count === 0 ? passed("nothing") : noted(`${count} requests of this check`);
    },
  },
];

/**
 * Errors that the application itself answered: what an HTTP parser refuses before any application
 * sees it can't be expected to be more than its status.
 */
function errorsOf({ exchanges }: Trial): readonly Answered[] {
  return exchanges
    .filter(({ bytes }) => bytes === undefined)
    .filter((exchange): exchange is Answered => exchange.answer !== undefined)
    .filter(({ answer }) => answer.status >= 400 && answer.body.length > 0);
}

function problemsOf(trial: Trial): (Answered & { readonly problem: JsonObject })[] {
  return errorsOf(trial).flatMap((exchange) => {
    const { answer } = exchange;
    const problem = mediaTypeOf(answer) === PROBLEM ? jsonOf(answer) : undefined;
    return isJsonObject(problem) ? [{ ...exchange, problem }] : [];
  });
}

function faultOf(problem: unknown): string | undefined {
  if (!isJsonObject(problem)) return "it is no JSON object";
  for (const name of ["type", "title", "detail", "instance"]) {
    const value = problem[name];
    if (value !== undefined && typeof value !== "string")
      return `"${name}" is ${JSON.stringify(value)}, no text`;
  }
  const { type = "about:blank", instance = "" } = problem;
  for (const reference of [type, instance]) {
    if (!URL.canParse(String(reference), "http://localhost/") || /\s/.test(String(reference)))
      return `"${reference}" is no URI reference`;
  }
  return undefined;
}

const LEAKS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a stack trace", /(?:^|\n|\\n)\s+at\s+\S[^\n]{0,200}?:\d+:\d+\)?/],
  ["a stack trace", /Traceback \(most recent call last\)|\bat (?:java|org|com)\.[\w.$]+\(/],
  ["SQL", /\bSELECT\b[^"]{1,200}\bFROM\b|\bINSERT INTO\b|\bUPDATE\b \S+ \bSET\b|\bDELETE FROM\b/],
  [
    "a database's message",
    /SQLITE_[A-Z]+|(?:UNIQUE|CHECK|FOREIGN KEY|NOT NULL) constraint failed|duplicate key value violates|ER_[A-Z_]{4,}|ORA-\d{5}|relation "[^"]*" does not exist/,
  ],
  ["a path of a file", /(?:\/[\w.@-]+){2,}\.(?:[cm]?[jt]s|py|rb|java|go|php|cs)\b|node_modules\//],
];

function leakIn(text: string): string | undefined {
  for (const [what, pattern] of LEAKS) {
    const found = pattern.exec(text);
    if (found !== null) return `${what}: ${found[0].trim().replaceAll(/\s+/g, " ").slice(0, 80)}`;
  }
  return undefined;
}
