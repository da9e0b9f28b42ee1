/** Request values in config text, `/users/${params.id}`, parsed once by the schema into parts. lib/contract/render-template.ts joins them. */

export type ValueSource = "params" | "query" | "header" | "claim" | "consumer" | "geo";
export interface TemplateValue {
  readonly from: ValueSource;
  readonly name: string;
  /** Set where the value may hold several path segments, as `*` does. */
  readonly many?: boolean;
}
export type Template = readonly (string | TemplateValue)[];
