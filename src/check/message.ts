/** One line of a header; a field may have several (RFC 9110 section 5.2). */
export type HeaderLine = readonly [name: string, value: string];

/** A request as it is sent: its header lines in their order, and no line that is not listed. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly HeaderLine[];
  readonly body?: Buffer;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  /** By name in lower case; the lines of a field are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What was sent, and what came of it. */
export interface Exchange {
  readonly request: Request;
  /** Bytes that were sent instead of a well-formed request, where a rule is about those. */
  readonly bytes?: Buffer;
  readonly answer?: Answer;
  /** Why there is no answer. */
  readonly failure?: string;
}

/** The request got no answer; the message says what happened instead. */
export class NoAnswer extends Error {
  /** Whether nobody listens there any more. */
  readonly refused: boolean;

  constructor(message: string, refused = false) {
    super(message);
    this.refused = refused;
  }
}

export function succeeded({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** Whether the server put the fault down to the client (RFC 9110 section 15.5). */
export function refused({ status }: Answer): boolean {
  return status >= 400 && status < 500;
}

export function textOf({ body }: { readonly body?: Buffer }): string {
  return body?.toString("utf8") ?? "";
}

/** The body as JSON, or `undefined` where it is none. */
export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(textOf(answer));
  } catch {
    return undefined;
  }
}

/** Type and subtype in lower case, without parameters (RFC 9110 section 8.3.1); `""` for none. */
export function mediaTypeOf({ headers }: Answer): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/** The items of a comma-separated list field. */
export function listOf(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
