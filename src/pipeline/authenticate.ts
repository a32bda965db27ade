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
    if (found !== null) return Object.assign(exchange, { principal: found });
  }
  return Object.assign(exchange, { principal: null });
}
