import { negotiate as bestOf } from "../content/accept.ts";
import { parsePrefer } from "../content/preferences.ts";
import { Problem } from "../kernel/problems.ts";
import { type Admitted, header, type Negotiated } from "./exchange.ts";

/** Agrees on the form of the answer before anything is done: a 406 after a write would be a lie. */
export function negotiate(exchange: Admitted): Negotiated {
  const available = [exchange.serving.api.dialect.mediaType];
  if (
    exchange.operation.kind !== "delete" &&
    bestOf(header(exchange, "accept"), available) === undefined
  ) {
    throw new Problem("not-acceptable", {
      detail: `This operation answers in ${available.join(", ")}.`,
      extensions: { available },
    });
  }
  return Object.assign(exchange, { preferences: parsePrefer(header(exchange, "prefer")) });
}
