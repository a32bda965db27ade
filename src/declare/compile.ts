import { createHash } from "node:crypto";
import type { AuthenticationScheme } from "./access.ts";
import type { Api, ApiOptions } from "./api.ts";
import { type Dialect, plain } from "./dialect.ts";
import { modelOf, type ResourceModel } from "./model.ts";
import { keyOperation, type Operation, operationsOf } from "./operation.ts";
import type { AnyResource } from "./resource.ts";
import { DeclarationError, verify } from "./verify/index.ts";

/** An API in its normal form, frozen. */
export interface CompiledApi {
  readonly options: ApiOptions;
  readonly dialect: Dialect;
  readonly schemes: readonly AuthenticationScheme[];
  readonly resources: readonly ResourceModel[];
  readonly operations: readonly Operation[];
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
  const resources = Object.values(api.declarations).map(model);
  const operations: Operation[] = resources.flatMap(operationsOf);
  if (operations.some(({ idempotency }) => idempotency.key !== "ignored"))
    operations.push(keyOperation());
  return Object.freeze({
    options: api.options,
    dialect,
    schemes: api.options.authenticate ?? [],
    resources,
    operations,
    digest: digestOf(resources, operations),
  });
}

function digestOf(resources: readonly ResourceModel[], operations: readonly Operation[]): string {
  const hash = createHash("sha256");
  for (const { id, method, path } of operations) hash.update(`${id} ${method} ${path}\n`);
  for (const { fields, unique, filter, sort } of resources) {
    hash.update(JSON.stringify([fields, unique, filter, sort]));
  }
  return hash.digest("base64url");
}
