import type { Dialect, ProblemDocument } from "../declare/dialect.ts";
import { type Problem, problemTypes } from "../kernel/problems.ts";
import type { Answer } from "./answer.ts";

/**
 * The one place where an error becomes an answer, whoever found it: a stage, Fastify, or Node's
 * HTTP parser.
 * @param pages Path in front of the page that the problem's `type` opens.
 */
export function problemAnswer(
  problem: Problem,
  dialect: Dialect,
  pages: string,
  requestId: string,
): Answer {
  const { title, remedy, status } = problemTypes[problem.type];
  const { detail = remedy, errors, headers, extensions } = problem.details;
  const document: ProblemDocument = {
    type: `${pages}/problems/${problem.type}`,
    title,
    status,
    detail,
    instance: `urn:uuid:${requestId}`,
    ...(errors === undefined ? {} : { errors }),
    ...extensions,
  };
  return {
    status,
    headers: { "content-type": dialect.problemMediaType, "cache-control": "no-store", ...headers },
    body: JSON.stringify(dialect.problem(document)),
    problem: problem.type,
  };
}
