import { negotiate as bestOf } from "../content/accept.ts";
import { parsePrefer } from "../content/preferences.ts";
import { isOwn } from "../declare/operation.ts";
import { Problem } from "../kernel/problems.ts";
import { type Admitted, header, type Negotiated } from "./exchange.ts";

/** Agrees on the form of the answer before anything is done: a 406 after a write would be a lie. */
export function negotiate(exchange: Admitted): Negotiated {
  const available = mediaTypesOf(exchange);
  const mediaType = bestOf(header(exchange, "accept"), available);
  if (exchange.operation.kind !== "delete" && mediaType === undefined) {
    throw new Problem("not-acceptable", {
      detail: `This operation answers in ${available.join(", ")}.`,
      extensions: { available },
    });
  }
  return Object.assign(exchange, {
    accepted: mediaType ?? available[0]!,
    preferences: parsePrefer(header(exchange, "prefer")),
  });
}

export const EVENT_STREAM = "text/event-stream";

const OWN_TYPES = ["application/json"] as const;
const JOB_TYPES = ["application/json", EVENT_STREAM] as const;

function mediaTypesOf({ operation, serving }: Admitted): readonly string[] {
  if (operation.kind === "job") return JOB_TYPES;
  return isOwn(operation) ? OWN_TYPES : serving.mediaTypes;
}
