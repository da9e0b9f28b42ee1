/** The operations of the admin API, all of them: a feature that has some adds its line here. */
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { type Api, type ApiContext, createApi, type Operation } from "./api.ts";
import { auditOperations } from "./audit.ts";
import { keyOperations } from "./keys-api.ts";
import { maintenanceOperations } from "./maintenance-api.ts";
import { openApiDocument } from "./openapi.ts";
import type { Overview } from "./overview.ts";
import { type PurgeAnswers, purgeOperations } from "./purge-api.ts";
import { requestOperations } from "./requests-api.ts";
import { revocationOperations } from "./revocations-api.ts";
import { trafficOperations } from "./traffic-api.ts";
import { usageOperations } from "./usage-api.ts";

/** The gateway that the API is one of. */
export interface RunningGateway {
  overview(): MaybePromise<Overview>;
  readonly purge: PurgeAnswers;
  /** Hands over what this instance has counted and kept, before somebody reads it. */
  flush(): Promise<void>;
}

export function createAdminApi(context: ApiContext, { overview, purge, flush }: RunningGateway): Api {
  const operations: Operation[] = [
    ...keyOperations(context),
    ...revocationOperations(context),
    ...usageOperations(context),
    ...purgeOperations(context, purge),
    ...maintenanceOperations(context),
    ...auditOperations(context),
    ...requestOperations(context, flush),
    ...trafficOperations(context, flush),
    {
      name: "getOverview",
      method: "GET",
      path: "overview",
      summary: "What runs here: config, stores, backends, routes, the latest requests",
      status: 200,
      answer: { type: "object", required: ["version", "host", "digest", "stores", "backends", "routes", "recent"] },
      refuses: [],
      // As JSON has it.
      run: async () => ({ body: JSON.parse(JSON.stringify(await overview())) }),
    },
    {
      name: "getDocument",
      method: "GET",
      path: "openapi.json",
      summary: "This document",
      status: 200,
      answer: { type: "object", required: ["openapi", "info", "paths"] },
      refuses: [],
      run: () => ({ body: document }),
    },
  ];
  const document = openApiDocument(operations);
  return createApi(operations);
}
