import { createHash } from "node:crypto";
import type { AuthenticationScheme } from "./access.ts";
import { startedBy } from "./action.ts";
import { actionModelOf } from "./action-model.ts";
import type { Api, ApiOptions } from "./api.ts";
import { type Dialect, plain } from "./dialect.ts";
import { type JobModel, jobModelOf } from "./job.ts";
import { modelOf, type ResourceModel } from "./model.ts";
import {
  actionOperation,
  type Operation,
  operationsOf,
  ownOperations,
  recordTemplate,
} from "./operation.ts";
import type { AnyResource } from "./resource.ts";
import { DeclarationError, verify } from "./verify/index.ts";

/** An API in its normal form, frozen. */
export interface CompiledApi {
  readonly options: ApiOptions;
  readonly dialect: Dialect;
  readonly schemes: readonly AuthenticationScheme[];
  readonly resources: readonly ResourceModel[];
  readonly operations: readonly Operation[];
  /** By name. */
  readonly jobs: ReadonlyMap<string, JobModel>;
  /** Equal in two threads if and only if they loaded the same declarations. */
  readonly digest: string;
}

/** @throws DeclarationError with all faults at once. */
export function compile(api: Api): CompiledApi {
  const faults = verify(api);
  if (faults.length > 0) throw new DeclarationError(faults);

  const dialect = api.options.dialect ?? plain;
  const models = new Map<AnyResource, ResourceModel>();
  const model = (resource: AnyResource): ResourceModel => {
    const known = models.get(resource);
    if (known !== undefined) return known;
    const made = modelOf(resource, dialect, model);
    models.set(resource, made);
    return made;
  };
  const { resources: declaredResources, actions, jobs: declaredJobs } = declared(api);
  const resources = declaredResources.map(model);
  const jobs = new Map(declaredJobs.map((job) => [job.name, jobModelOf(job)]));
  const operations: Operation[] = resources.flatMap(operationsOf);
  for (const action of actions) {
    const on = action.config.on === undefined ? undefined : model(action.config.on as AnyResource);
    const path = on === undefined ? "" : recordTemplate(on);
    const starts = startedBy(action);
    operations.push(actionOperation(actionModelOf(action, on, path, jobs.get(starts?.name ?? ""))));
  }
  operations.push(...ownOperations(operations));
  return Object.freeze({
    options: api.options,
    dialect,
    schemes: api.options.authenticate ?? [],
    resources,
    operations,
    jobs,
    digest: digestOf(resources, operations, [...jobs.keys()]),
  });
}

/** What was declared, by kind. A job that an action starts need not be named a second time. */
function declared({ declarations }: Api) {
  const all = Object.values(declarations);
  const actions = all.filter((each) => each.kind === "action");
  const jobs = [
    ...all.flatMap((each) => (each.kind === "job" || each.kind === "workflow" ? [each] : [])),
    ...actions.flatMap((action) => startedBy(action) ?? []),
  ];
  return {
    resources: all.filter((each) => each.kind === "resource"),
    actions,
    jobs: [...new Set(jobs)],
  };
}

function digestOf(
  resources: readonly ResourceModel[],
  operations: readonly Operation[],
  jobs: readonly string[],
): string {
  const hash = createHash("sha256").update(`${jobs.join(" ")}\n`);
  for (const { id, method, path } of operations) hash.update(`${id} ${method} ${path}\n`);
  for (const { fields, unique, filter, sort } of resources) {
    hash.update(JSON.stringify([fields, unique, filter, sort]));
  }
  return hash.digest("base64url");
}
