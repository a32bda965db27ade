/** Talking to the payment gateway: every call carries a key, so that a retry charges nobody twice. */
import { JobFailure } from "posthaste";

export interface Charge {
  readonly id: string;
  readonly amount: number;
}

/** @param key The same for every attempt */
export async function callGateway(
  path: string,
  body: unknown,
  key: string,
  signal: AbortSignal,
): Promise<Charge> {
  const response = await fetch(`${process.env.TOUR_GATEWAY ?? "http://127.0.0.1:3001"}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
  });
  // No attempt will make a declined card a good one; anything else may go better next time.
  if (response.status === 402) throw new JobFailure("card-declined", "The card was declined.");
  if (!response.ok) throw new Error(`The gateway answered ${response.status}.`);
  return (await response.json()) as Charge;
}
