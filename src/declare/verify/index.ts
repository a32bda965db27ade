import type { Api } from "../api.ts";
import { accessIsDeclared } from "./access-is-declared.ts";
import { actionsAreUsable } from "./actions-are-usable.ts";
import { apiOptionsAreUsable } from "./api-options-are-usable.ts";
import { examplesAreValid } from "./examples-are-valid.ts";
import type { DeclarationFault } from "./fault.ts";
import { fieldListsNameFields } from "./field-lists-name-fields.ts";
import { fieldNamesAreFree } from "./field-names-are-free.ts";
import { fieldsAreFilled } from "./fields-are-filled.ts";
import { fieldsReadAsTheyAreWritten } from "./fields-read-as-they-are-written.ts";
import { jobsAreUsable } from "./jobs-are-usable.ts";
import { optionsAreKnown } from "./options-are-known.ts";
import { parentsAreServed } from "./parents-are-served.ts";
import { resourceNamesAreFree } from "./resource-names-are-free.ts";
import { schemasAreUsable } from "./schemas-are-usable.ts";
import { valuesAreInRange } from "./values-are-in-range.ts";

/** Every rule that a declaration must keep, one to a file. */
const rules = [
  apiOptionsAreUsable,
  optionsAreKnown,
  resourceNamesAreFree,
  accessIsDeclared,
  schemasAreUsable,
  valuesAreInRange,
  parentsAreServed,
  fieldNamesAreFree,
  fieldListsNameFields,
  fieldsAreFilled,
  fieldsReadAsTheyAreWritten,
  examplesAreValid,
  actionsAreUsable,
  jobsAreUsable,
];

export function verify(api: Api): DeclarationFault[] {
  return rules.flatMap((rule) => rule(api));
}

/** A declaration that can't be served, with everything that is wrong with it. */
export class DeclarationError extends Error {
  readonly faults: readonly DeclarationFault[];

  constructor(faults: readonly DeclarationFault[]) {
    const lines = faults.map(({ where, fault, mend }) => `  ${where}: ${fault}\n    ${mend}`);
    super(
      `The declaration has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${lines.join("\n")}`,
    );
    this.name = "DeclarationError";
    this.faults = faults;
  }
}

export type { DeclarationFault };
