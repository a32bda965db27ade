export {
  type AccessRule,
  type AuthenticationScheme,
  anyone,
  type CredentialSource,
  nobody,
  type Principal,
  signedIn,
} from "./declare/access.ts";
export {
  type Action,
  type ActionConfig,
  type ActionContext,
  action,
  type StartingActionConfig,
} from "./declare/action.ts";
export { type Api, type ApiOptions, api } from "./declare/api.ts";
export { type Dialect, type ListDocument, type ProblemDocument, plain } from "./declare/dialect.ts";
export type { Idempotency } from "./declare/idempotency.ts";
export {
  type Enqueue,
  type EnqueuedJob,
  type EnqueueOptions,
  type Job,
  type JobConfig,
  type JobContext,
  JobFailure,
  type JobTransaction,
  job,
  type StepContext,
  type Steps,
  type WorkflowConfig,
  type WorkflowContext,
  workflow,
} from "./declare/job.ts";
export type { Attachment, Mail, Mailer, MailReceipt, RejectedRecipient } from "./declare/mail.ts";
export {
  type Fail,
  type HookContext,
  type IdKind,
  type Resource,
  type ResourceConfig,
  type RowOf,
  type RuleContext,
  resource,
  type SetContext,
  type UpdateHookContext,
} from "./declare/resource.ts";
export type { StandardSchema } from "./declare/standard-schema.ts";
export type { TransactionSql } from "./declare/transaction.ts";
export type { Duration } from "./kernel/duration.ts";
export type { Json, JsonObject } from "./kernel/json.ts";
export type { Observation, Observe } from "./kernel/observations.ts";
export type { Fault } from "./kernel/problems.ts";
export type { DestinationPolicy } from "./webhooks/destination.ts";
export {
  type VerifyOptions,
  verifyWebhook,
  WebhookVerificationError,
} from "./webhooks/signature.ts";
export { type Publishing, type WebhooksConfig, webhooks } from "./webhooks/webhooks.ts";
