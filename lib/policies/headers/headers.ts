/** `headers`: sets, appends and removes header fields of the request to the backend and of the answer. */
import type { Exchange } from "../../contract/exchange.ts";
import type { Policy, PolicyDefinition } from "../../contract/policy.ts";
import { renderField, renderTemplate } from "../../contract/render-template.ts";
import type { Template } from "../../contract/template.ts";
import type { HeaderList } from "../../http/header-list.ts";
import type { HeaderChanges, HeadersOptions } from "./options.ts";

export const headers: PolicyDefinition<HeadersOptions> = {
  name: "headers",
  refuses: [],
  cacheable: true,
  create({ request, response }) {
    const policy: Policy = {};
    if (changesAnything(request)) {
      policy.onRequest = (exchange, outgoing) => apply(request, outgoing.headers, exchange);
      const values = [...request.set, ...request.append].flatMap(([, value]) => (isOpen(value) ? [value] : []));
      // The backend's answer may hang on them.
      if (values.length > 0)
        policy.cacheKey = (exchange) => JSON.stringify(values.map((value) => renderTemplate(value, exchange, "header")));
    }
    if (changesAnything(response)) policy.onSend = (exchange, head) => apply(response, head.headers, exchange);
    return policy;
  },
};

/** Whether it holds values of the request. */
function isOpen(template: Template): boolean {
  return template.some((part) => typeof part === "object");
}

function changesAnything({ set, append, remove }: HeaderChanges): boolean {
  return set.length + append.length + remove.length > 0;
}

function apply({ set, append, remove }: HeaderChanges, fields: HeaderList, exchange: Exchange): void {
  for (const name of remove) fields.delete(name);
  for (const [name, template] of set) {
    const value = renderField(template, exchange);
    // Replaced by nothing: what the caller wrote there may not stand in for it.
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  for (const [name, template] of append) {
    const value = renderField(template, exchange);
    if (value !== undefined) fields.append(name, value);
  }
}
