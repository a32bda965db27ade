import { judge } from "../declare/access.ts";
import { Problem } from "../kernel/problems.ts";
import type { Admitted, Authenticated } from "./exchange.ts";

/** Lets in whom the operation's access rule allows, before a byte of the body is read. */
export function admit(exchange: Authenticated): Admitted {
  const verdict = judge(exchange.operation.access, exchange.principal);
  if (verdict === "unauthenticated") {
    const challenges = exchange.serving.api.schemes.map(({ challenge }) => challenge).join(", ");
    throw new Problem("unauthenticated", {
      // RFC 9110 section 15.5.2: a 401 names at least one challenge.
      headers: { "www-authenticate": challenges === "" ? "Bearer" : challenges },
    });
  }
  if (verdict === "forbidden") throw new Problem("forbidden");
  return Object.assign(exchange, { admitted: true as const });
}
