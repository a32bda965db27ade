import type { ConditionalHeaders } from "../../content/conditions.ts";
import type { JsonPatch } from "../../content/json-patch.ts";
import type { Preferences } from "../../content/preferences.ts";
import type { Principal } from "../../declare/access.ts";
import type { RecordValues } from "../../declare/model.ts";
import type { Claim } from "../../idempotency/ledger.ts";
import type { Json } from "../../kernel/json.ts";
import type { RowId } from "../../store/rows.ts";
import type { Answer } from "../answer.ts";

/** What a write has to do, by kind; whatever needed no database was decided before. */
export type WriteInput =
  /** Validated values: a create depends on no record that is there. */
  | { readonly kind: "create"; readonly values: RecordValues }
  | { readonly kind: "replace"; readonly body: Json }
  | { readonly kind: "merge-patch"; readonly patch: Json }
  | { readonly kind: "json-patch"; readonly patch: JsonPatch }
  | { readonly kind: "delete" }
  /** A validated body, and what the path names. */
  | {
      readonly kind: "action";
      readonly values: unknown;
      readonly params: Readonly<Record<string, string>>;
    };

/** The unit of work that a write becomes: plain data, on its way to the writer. */
export interface WriteUnit {
  /** Index of the operation in the compiled API. */
  readonly operation: number;
  readonly requestId: string;
  readonly principal: Principal | null;
  /** Ids of the parents, outermost first. */
  readonly parentIds: readonly RowId[];
  readonly id: RowId | undefined;
  readonly input: WriteInput;
  readonly conditions: ConditionalHeaders | undefined;
  readonly preferences: Preferences;
  readonly claim: Claim | undefined;
  /** Milliseconds since the Unix epoch, read once for the whole write. */
  readonly now: number;
}

/** Kinds of jobs that a unit made, and when the first of those is due that wait. */
export interface Wake {
  readonly kinds: readonly string[];
  readonly due: number | undefined;
}

/** What comes back from the writer. */
export interface WriteOutcome {
  readonly answer: Answer;
  /** What the workers have to know, where jobs were enqueued. */
  readonly wake: Wake | undefined;
  /** What went wrong inside, where the answer is a 500; for the log, never for the client. */
  readonly error: string | undefined;
}
