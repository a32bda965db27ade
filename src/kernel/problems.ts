/**
 * The one registry of everything that can go wrong for a client (RFC 9457). A type is a promise:
 * its name is in the `type` of the answer, opens a page that the server serves, and has a section
 * in docs/errors.md (a test compares the two). `meaning` is for the reader of that page, `remedy`
 * tells the client what to do.
 */
export interface ProblemType {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

export const problemTypes = {
  "malformed-request": {
    status: 400,
    title: "The request is not well-formed HTTP",
    meaning:
      "The bytes could not be read as an HTTP request: a bad request line, header, chunk or length, no Host header or two of them, or a path that is not valid percent-encoded UTF-8.",
    remedy: "Send the request with an HTTP library; the detail says what was found.",
  },
  "malformed-json": {
    status: 400,
    title: "The body is not acceptable JSON",
    meaning:
      "The body is not UTF-8, is not JSON (RFC 8259), or has a meaning that parsers disagree on: a name twice in one object, a lone surrogate, a number that a double can't hold exactly, the name __proto__, or nesting that is too deep.",
    remedy: "Mend the body at the place that the detail names. Send big numbers as strings.",
  },
  "malformed-patch": {
    status: 400,
    title: "The patch document is not well-formed",
    meaning: "A JSON Patch (RFC 6902) is an array of operations; one of them is not an operation.",
    remedy: "Mend the operations listed in errors.",
  },
  "malformed-header": {
    status: 400,
    title: "A header field can't be read",
    meaning:
      "A header field that the server needs to understand does not follow the syntax that its standard gives it.",
    remedy: "Mend or leave out the header named in errors.",
  },
  "idempotency-key-required": {
    status: 400,
    title: "The operation needs an Idempotency-Key",
    meaning:
      "The operation must not happen twice, so it takes no request that could not be told from its own repetition.",
    remedy:
      "Send an Idempotency-Key header with a new UUID, and the same one when you send the request again.",
  },
  "invalid-query": {
    status: 400,
    title: "The query has parameters that this list does not take",
    meaning:
      "A parameter is unknown, given twice, or its value is of the wrong type. A list never ignores a parameter: a filter that is not applied shows too much.",
    remedy: "Mend the parameters listed in errors; the documentation lists those that are taken.",
  },
  unauthenticated: {
    status: 401,
    title: "Credentials are needed",
    meaning: "The operation needs to know who calls, and no valid credentials came along.",
    remedy: "Send credentials as the WWW-Authenticate header says.",
  },
  forbidden: {
    status: 403,
    title: "Not allowed",
    meaning: "The caller is known, and is not allowed to do this.",
    remedy: "Ask whoever runs the API for access; sending the request again changes nothing.",
  },
  "not-found": {
    status: 404,
    title: "There is nothing here",
    meaning: "No operation has this path, or the record does not exist.",
    remedy: "Check the path against the documentation, and the id against a list.",
  },
  "method-not-allowed": {
    status: 405,
    title: "The method is not available at this path",
    meaning: "The path exists; the method does not apply to it.",
    remedy: "Use one of the methods in the Allow header.",
  },
  "not-acceptable": {
    status: 406,
    title: "No representation fits the Accept header",
    meaning: "The operation can't produce any of the media types that the Accept header allows.",
    remedy: "Ask for one of the media types listed in available, or send no Accept header.",
  },
  "request-timeout": {
    status: 408,
    title: "The request took too long to arrive",
    meaning: "The whole request has to arrive within a bounded time, and it did not.",
    remedy: "Send it again, faster or smaller. Nothing was done.",
  },
  "unique-conflict": {
    status: 409,
    title: "Another record has this value already",
    meaning: "The value of a field, or of several together, must be unique, and is taken.",
    remedy: "Choose other values for the fields listed in errors, or use the existing record.",
  },
  conflict: {
    status: 409,
    title: "The state of the record does not allow this",
    meaning: "The request is right in itself, and what it is about is not as it would have to be.",
    remedy: "Look at the record again; the code in errors says what is in the way.",
  },
  "request-in-progress": {
    status: 409,
    title: "The first request with this key is still running",
    meaning: "Another request with the same Idempotency-Key has not been answered yet.",
    remedy:
      "Send the same request again, with the same key, after the time in Retry-After: it gets the answer of the first.",
  },
  "patch-conflict": {
    status: 409,
    title: "The patch does not fit the record as it is now",
    meaning:
      "A test operation of the JSON Patch failed, or an operation names a place that does not exist.",
    remedy: "Read the record again and make the patch anew.",
  },
  "job-finished": {
    status: 409,
    title: "The job has ended already",
    meaning: "What has ended can't be cancelled any more.",
    remedy: "Read the job: it says what came of it.",
  },
  "still-referenced": {
    status: 409,
    title: "Other records belong to this one",
    meaning: "The record can't be deleted while records that belong to it exist.",
    remedy: "Delete the records that belong to it first.",
  },
  "precondition-failed": {
    status: 412,
    title: "The record is not in the state that the request requires",
    meaning:
      "If-Match, If-None-Match or If-Unmodified-Since (RFC 9110 section 13) does not hold: somebody changed, made or removed the record in the meantime.",
    remedy: "Read the record again, decide anew, and send its present ETag.",
  },
  "content-too-large": {
    status: 413,
    title: "The body is too large",
    meaning: "The body has more bytes than this operation takes.",
    remedy: "Send less; the detail tells the limit.",
  },
  "uri-too-long": {
    status: 414,
    title: "The URL is too long",
    meaning: "The request target has more bytes than the server reads.",
    remedy: "Shorten the path or the query.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The body is of a type that is not taken here",
    meaning:
      "The Content-Type is missing or is none that this operation reads. The server never guesses: a body of unknown type would escape validation.",
    remedy: "Send one of the media types in the Accept header of this answer.",
  },
  "unsupported-content-encoding": {
    status: 415,
    title: "The body is encoded in a way that is not taken here",
    meaning: "The Content-Encoding is none that the server decodes.",
    remedy: "Send one of the codings in the Accept-Encoding header of this answer.",
  },
  "expectation-failed": {
    status: 417,
    title: "The Expect header can't be met",
    meaning: "The only expectation that HTTP defines is 100-continue.",
    remedy: "Leave the Expect header out, or send 100-continue.",
  },
  "validation-failed": {
    status: 422,
    title: "The content is not valid",
    meaning: "The body was understood, and breaks the schema or a business rule. Nothing was done.",
    remedy: "Mend every place that errors lists: it lists all of them.",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "The key was used for another request",
    meaning:
      "A request with this Idempotency-Key was answered already, and had another path, query or body. The answer of that one stays as it is.",
    remedy: "Take a new key for a new request; repeat a request exactly as it was.",
  },
  "precondition-required": {
    status: 428,
    title: "The request must say which state it changes",
    meaning:
      "The operation takes no change that could overwrite what the client has not seen: it needs If-Match.",
    remedy: "Read the record, and send its ETag in If-Match.",
  },
  "header-fields-too-large": {
    status: 431,
    title: "The header fields are too large",
    meaning: "All header fields together have more bytes than the server reads.",
    remedy: "Send fewer or shorter header fields.",
  },
  "internal-error": {
    status: 500,
    title: "The server failed",
    meaning: "A fault of ours, not of the request. Whatever had begun was rolled back.",
    remedy: "Tell whoever runs the API the request id.",
  },
  overloaded: {
    status: 503,
    title: "The server is busy",
    meaning: "More work is waiting than the server can take on. Nothing was done.",
    remedy: "Send the request again after the time in Retry-After.",
  },
  draining: {
    status: 503,
    title: "The server is stopping",
    meaning: "This process finishes what it has accepted and takes nothing new. Nothing was done.",
    remedy: "Send the request again after the time in Retry-After.",
  },
  "store-unavailable": {
    status: 503,
    title: "The database is away",
    meaning: "The database could not be reached, or did not confirm in time.",
    remedy: "Send the request again after the time in Retry-After.",
  },
  "insufficient-storage": {
    status: 507,
    title: "The disk is full",
    meaning: "The database could not make the change durable. Nothing was done.",
    remedy: "Send the request again later; whoever runs the server has to make room.",
  },
} as const satisfies Record<string, ProblemType>;

export type ProblemName = keyof typeof problemTypes;

/** One thing that is wrong, and where: in the body, the query or a header. */
export interface Fault {
  /** JSON Pointer (RFC 6901) into the body, as a fragment: `#/email`. */
  readonly pointer?: string;
  /** Name of a query parameter. */
  readonly parameter?: string;
  /** Name of a header field. */
  readonly header?: string;
  /** A sentence for the developer of the client. */
  readonly detail: string;
  /** A word for the client's code: `required`, `invalid_format`. */
  readonly code: string;
}

export interface ProblemDetails {
  readonly detail?: string;
  readonly errors?: readonly Fault[];
  /** Header fields that the answer must carry, such as `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Members beside the standard ones (RFC 9457 section 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An answer that is not a success. Thrown by any stage; rendered in one place by the dialect. */
export class Problem extends Error {
  readonly type: ProblemName;
  readonly details: ProblemDetails;

  constructor(type: ProblemName, details: ProblemDetails = {}, cause?: unknown) {
    super(details.detail ?? problemTypes[type].title, cause === undefined ? undefined : { cause });
    this.name = "Problem";
    this.type = type;
    this.details = details;
  }

  get status(): number {
    return problemTypes[this.type].status;
  }
}
