/** An answer that a config writes out, with what it takes from the request. */

import { HeaderList } from "../http/header-list.ts";
import type { Exchange } from "./exchange.ts";
import type { LocalResponse } from "./problem.ts";
import { renderField, renderTemplate } from "./render-template.ts";
import type { Template } from "./template.ts";

export interface FixedAnswer {
  readonly status: number;
  /** Names in lower case, `content-type` included wherever there is a body. */
  readonly headers: readonly (readonly [name: string, value: Template])[];
  /** Render the template for the destination that `kind` names: for `json` it is JSON text already, only the values need encoding. */
  readonly body: { readonly kind: "text" | "json"; readonly template: Template } | null;
}

export function renderFixedAnswer({ status, headers, body }: FixedAnswer, exchange: Exchange): LocalResponse {
  const fields = new HeaderList();
  for (const [name, template] of headers) {
    const value = renderField(template, exchange);
    if (value !== undefined) fields.append(name, value);
  }
  return {
    status,
    headers: fields,
    body: body && renderTemplate(body.template, exchange, body.kind),
  };
}
