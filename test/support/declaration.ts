import { anyone, api, resource } from "posthaste";
import { z } from "zod";
import { type DeclarationFault, verify } from "../../src/declare/verify/index.ts";

const usable = {
  schema: z.object({
    name: z.string(),
    email: z.string(),
    size: z.int().optional(),
    address: z.object({ city: z.string() }).optional(),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
};

/**
 * A resource `things` with the fields `name`, `email`, `size` and `address`, and these options
 * beside or instead of the usable ones. Types would refuse what these tests are about, so a
 * declaration is whatever a user of plain JavaScript may write.
 */
export function things(options: object = {}, name = "things") {
  return resource(name, { ...usable, ...options } as never);
}

/** What is told at boot of an API with these declarations. */
export function faultsIn(declarations: object, options: object = {}): DeclarationFault[] {
  return verify(api(declarations as never, options));
}

/** The same for one resource, which the API calls `things`. */
export function faultsWith(options: object): DeclarationFault[] {
  return faultsIn({ things: things(options) });
}

/** Places of faults, sorted. */
export function placesOf(faults: readonly DeclarationFault[]): string[] {
  return faults.map(({ where }) => where).sort();
}
