/** What the admin API adds to a revocation for which the store had no room: it is in force, and ends with the process. */
import type { Stores } from "../contract/stores/stores.ts";
import type { JsonSchema } from "./json-schema.ts";

const WARNING =
  "There is no room to write this down: it is in force in this process, and forgotten when it ends. Make room on the disk; it is then written by itself.";

export const WARNING_SCHEMA: JsonSchema = {
  type: "string",
  description: "Present where the store had no room: the revocation holds for as long as the process lives",
};

export function heldWarning(stores: Pick<Stores, "status">): { readonly warning?: string } {
  return stores.status().heldRevocations === undefined ? {} : { warning: WARNING };
}
