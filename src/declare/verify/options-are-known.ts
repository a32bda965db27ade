import { didYouMean } from "../../kernel/nearest.ts";
import type { AnyActionConfig } from "../action.ts";
import type { ApiOptions } from "../api.ts";
import type { Idempotency } from "../idempotency.ts";
import type { AnyJobConfig } from "../job.ts";
import type { ResourceConfig } from "../resource.ts";
import type { StandardSchema } from "../standard-schema.ts";
import {
  actionsOf,
  type DeclarationFault,
  isAction,
  isJob,
  isResource,
  jobsOf,
  quoted,
  resourcesOf,
  type VerifyRule,
} from "./fault.ts";

type Config = Required<ResourceConfig<StandardSchema, "integer", never, boolean>>;

// Records, so that the compiler tells when an option is added to the types and not here.
const resourceOptions: Record<keyof Config, true> = {
  schema: true,
  access: true,
  id: true,
  parent: true,
  unique: true,
  readOnly: true,
  writeOnly: true,
  hidden: true,
  set: true,
  rules: true,
  created: true,
  updated: true,
  deleted: true,
  list: true,
  timestamps: true,
  onParentDelete: true,
  maxBodyBytes: true,
  idempotency: true,
  ifMatch: true,
  description: true,
  example: true,
};
const accessOptions: Record<keyof Config["access"], true> = {
  create: true,
  read: true,
  update: true,
  delete: true,
};
const listOptions: Record<keyof Config["list"], true> = {
  filter: true,
  sort: true,
  limit: true,
  maxLimit: true,
};
const idempotencyOptions: Record<keyof Config["idempotency"], true> = { create: true, patch: true };
const policyOptions: Record<keyof Idempotency, true> = {
  key: true,
  keep: true,
  window: true,
  anonymousKeys: true,
};
const actionOptions: Record<keyof AnyActionConfig, true> = {
  on: true,
  path: true,
  input: true,
  output: true,
  status: true,
  location: true,
  starts: true,
  run: true,
  access: true,
  idempotency: true,
  maxBodyBytes: true,
  description: true,
  example: true,
};
const jobOptions: Record<keyof AnyJobConfig, true> = {
  input: true,
  run: true,
  attempts: true,
  backoff: true,
  timeout: true,
  concurrency: true,
  priority: true,
  keep: true,
  location: true,
  schedule: true,
  timeZone: true,
  description: true,
};
const backoffOptions = { first: true, most: true } as const;
const apiOptions: Record<keyof ApiOptions, true> = {
  title: true,
  version: true,
  description: true,
  contact: true,
  license: true,
  dialect: true,
  authenticate: true,
  mail: true,
};

/** A misspelt option would silently be a default; so it is refused. */
export const optionsAreKnown: VerifyRule = (api) => [
  ...Object.entries(api.declarations).flatMap(([key, value]): DeclarationFault[] =>
    isResource(value) || isAction(value) || isJob(value)
      ? []
      : [
          {
            where: key,
            fault: "is not a resource, an action, a job or a workflow.",
            mend: `Write ${key}: resource("${key}", { … }).`,
          },
        ],
  ),
  ...actionsOf(api).flatMap(({ key, action: { config } }) => [
    ...unknown(key, config, actionOptions),
    ...unknown(`${key}.idempotency`, config.idempotency, policyOptions),
  ]),
  ...jobsOf(api).flatMap(({ key, job: { config } }) => [
    ...unknown(key, config, jobOptions),
    ...unknown(`${key}.backoff`, config.backoff, backoffOptions),
  ]),
  ...unknown("the options of api()", api.options, apiOptions),
  ...resourcesOf(api).flatMap(({ key, resource: { config } }) => [
    ...unknown(key, config, resourceOptions),
    ...unknown(`${key}.access`, config.access, accessOptions),
    ...unknown(`${key}.list`, config.list, listOptions),
    ...unknown(`${key}.idempotency`, config.idempotency, idempotencyOptions),
    ...Object.entries(config.idempotency ?? {}).flatMap(([operation, policy]) =>
      unknown(`${key}.idempotency.${operation}`, policy, policyOptions),
    ),
  ]),
];

function unknown(where: string, given: unknown, known: Record<string, true>): DeclarationFault[] {
  if (typeof given !== "object" || given === null) return [];
  return Object.keys(given)
    .filter((option) => !Object.hasOwn(known, option))
    .map((option) => ({
      where: `${where}.${option}`,
      fault: `is not an option.${didYouMean(option, Object.keys(known))}`,
      mend: `The options here are ${quoted(Object.keys(known))}.`,
    }));
}
