import type { Principal } from "../declare/access.ts";
import { Problem } from "../kernel/problems.ts";
import type { Authenticated, Received } from "./exchange.ts";

/**
 * Finds out who calls. Schemes are asked in their order; the first one that knows its credentials
 * decides. Credentials that are wrong are refused even where none are needed: their owner believes
 * to be somebody, and must learn otherwise.
 */
export function authenticate(exchange: Received): Authenticated | Promise<Authenticated> {
  if (exchange.serving.api.schemes.length === 0)
    return Object.assign(exchange, { principal: null });
  return ask(exchange);
}

async function ask(exchange: Received): Promise<Authenticated> {
  const { method, path, headers, serving } = exchange;
  for (const scheme of serving.api.schemes) {
    const found = await scheme.authenticate({ method, path, headers });
    if (found === "invalid") {
      throw new Problem("unauthenticated", {
        // RFC 6750 section 3.1; which part was wrong is nobody's business.
        detail: "The credentials are not valid.",
        headers: {
          "www-authenticate": `${scheme.challenge}${scheme.challenge.includes(" ") ? "," : ""} error="invalid_token"`,
        },
      });
    }
    if (found !== null) return Object.assign(exchange, { principal: known(found, scheme.name) });
  }
  return Object.assign(exchange, { principal: null });
}

const MAX_ID_LENGTH = 1_024;

/**
 * Callers without ids of their own would be one caller, and get each other's answers: a scheme that
 * gives no id is broken, and lets nobody in.
 */
function known(principal: Principal, scheme: string): Principal {
  const { id } = principal as { id?: unknown };
  if (typeof principal === "object" && typeof id === "string" && id !== "") {
    if (id.length <= MAX_ID_LENGTH) return principal;
  }
  throw new Error(
    `The authentication scheme "${scheme}" gave a principal whose id is no string of 1 to ${MAX_ID_LENGTH} characters. Return { id: … } with what names the caller, such as the subject of a token.`,
  );
}
