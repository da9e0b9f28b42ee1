/** `respond`: an answer that the gateway gives itself. */
import { HeaderList } from "../../http/header-list.ts";
import { renderTemplate } from "../../http/template.ts";
import type { PolicyDefinition } from "../../policy.ts";
import type { RespondOptions } from "./options.ts";

export const respond: PolicyDefinition<RespondOptions> = {
  name: "respond",
  row: "answer",
  refuses: [],
  cacheable: true,
  create: ({ status, headers, body }) => ({
    decide: (exchange) => ({
      status,
      headers: new HeaderList(headers.flatMap(([name, value]) => [name, renderTemplate(value, exchange, "header")])),
      body: body && renderTemplate(body.template, exchange, body.kind),
    }),
  }),
};
