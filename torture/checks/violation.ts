/** What the checker can find, and what it means. */
export const rules = {
  missing: "was acknowledged, and is not there",
  twice: "happened more than once",
  refused: "was refused, and is there all the same",
  unasked: "is there, and nobody asked for it",
  "other-record": "is stored otherwise than its answer said",
  "other-answer": "was answered in two ways, or done anew where it had to be replayed",
  "wrong-answer": "got an answer that it can't get",
  unanswered: "got no answer from a server that was up",
  money: "does not add up",
  "job-missing": "should have a job, and has none",
  "job-unfinished": "neither came to its end nor will",
  "job-failed": "failed without a reason of its own, or succeeded where it could not",
  "attempt-twice": "is an attempt that was committed more than once",
  "step-missing": "is a finished job that left a step out",
  "step-twice": "is a step that was done more than once",
  ledger: "has another entry in the ledger than what was done and told",
  damaged: "is not what SQLite calls sound",
} as const;

export type Rule = keyof typeof rules;

export interface Violation {
  readonly rule: Rule;
  /** Reference of an intent, id of a job, or name of a table. */
  readonly subject: string;
  readonly detail: string;
}

export type Report = (rule: Rule, subject: string, detail: string) => void;
