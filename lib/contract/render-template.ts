/**
 * Request values in config text: `/users/${params.id}`. The schema parses the text once into parts (template.ts); rendering joins them,
 * each value encoded for where it lands, so that a caller's value can't become a second segment, header or JSON string. What no
 * encoding prevents in a path that is sent on is for `renderPath` to refuse: `%2E%2E` climbs as `..` does.
 */

import { hasDotSegment } from "../http/target.ts";
import { trimmed } from "../http/whitespace.ts";
import type { Exchange } from "./exchange.ts";
import type { Template, TemplateValue } from "./template.ts";

/** What of a request the values come from. An exchange is one. */
export type RequestValues = Pick<Exchange, "route" | "target" | "params" | "request" | "consumer">;

/** Where the rendered text will stand. */
export type Destination = "path" | "header" | "json" | "text";

export function renderTemplate(template: Template, exchange: RequestValues, destination: Destination): string {
  let text = "";
  for (const part of template) {
    if (typeof part === "string") text += part;
    else if (destination === "path" && part.from === "params") text += rawParam(part.name, exchange);
    else text += encode(textFor(part, exchange), destination);
  }
  // A field value neither begins nor ends with whitespace (RFC 9110 section 5.5): a strict backend refuses the whole head.
  return destination === "header" ? trimmed(text) : text;
}

/**
 * The value of a header field; undefined where it would be empty, as when the request has no such value. The field then stays away:
 * nginx and Envoy do the same, and few servers expect an empty `x-country`.
 */
export function renderField(template: Template, exchange: RequestValues): string | undefined {
  const value = renderTemplate(template, exchange, "header");
  return trimmed(value) === "" ? undefined : value;
}

/** A separator in any encoding, also one that a second decoding uncovers. */
const SEPARATOR = /[/\\]|%(?:25)*(?:2f|5c)/i;

/**
 * The path of a rewrite; undefined where a value of the request would change which path it is: by a segment of dots, or by a separator, which
 * many servers decode before they route. `encodedSlash: "keep"` lets an encoded separator pass here as in a received path.
 */
export function renderPath(template: Template, exchange: RequestValues): string | undefined {
  if (exchange.route.encodedSlash !== "keep") {
    // Path parameters have passed the guard as they were received.
    const isSplit = template.some(
      (part) => typeof part === "object" && part.from !== "params" && SEPARATOR.test(textFor(part, exchange)),
    );
    if (isSplit) return undefined;
  }
  const path = renderTemplate(template, exchange, "path");
  return hasDotSegment(path) ? undefined : path;
}

/** A path parameter as it was received: decoding and encoding again could change what the backend reads. */
function rawParam(name: string, { route, target }: RequestValues): string {
  const param = route.params.find((known) => known.name === name);
  if (!param) return "";
  const segments = target.path.slice(1).split("/");
  return param.isRest ? segments.slice(param.index).join("/") : segments[param.index]!;
}

function textFor(part: TemplateValue, exchange: RequestValues): string {
  switch (part.from) {
    case "params":
      return exchange.params[part.name] ?? "";
    case "query":
      return exchange.target.query.get(part.name) ?? "";
    case "header":
      return exchange.request.headers.get(part.name) ?? "";
    case "claim":
      return textOf(exchange.consumer?.claims?.[part.name]);
    case "consumer":
      return textOf(exchange.consumer?.[part.name as "id" | "tier" | "authenticator"]);
    case "geo":
      return textOf(exchange.request.client.geo?.[part.name as "country"]);
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function encode(value: string, destination: Destination): string {
  switch (destination) {
    case "path":
      return encodeURIComponent(value.toWellFormed());
    case "header":
      // CR, LF and NUL would end the field (RFC 9110 section 5.5): response splitting.
      return value
        .replace(/[\r\n\0]/g, " ")
        .replace(/[^\t\x20-\x7e\x80-\xff]/gu, (c) => encodeURIComponent(c.isWellFormed() ? c : "\ufffd"));
    case "json":
      return JSON.stringify(value).slice(1, -1);
    case "text":
      return value;
  }
}
