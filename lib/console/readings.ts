/** The reading operations of the admin API, as pages call them: a page knows what a program can know. */
import { type Api, runOperation } from "../admin/api.ts";
import type { AuditEntry } from "../admin/audit.ts";
import type { KeptRecord } from "../observe/kept-records.ts";
import type { Traffic } from "../observe/traffic.ts";
import type { Override } from "../policies/limit/overrides.ts";
import type { UsageReport } from "../policies/limit/usage-report.ts";

/** The answer of each operation, by its path. */
export interface Readings {
  readonly traffic: Traffic;
  readonly requests: Page<KeptRecord>;
  readonly keys: Page<ShownKey>;
  readonly usage: UsageReport;
  readonly overrides: Readonly<Record<string, Override>>;
  readonly maintenance: MaintenanceState;
  readonly audit: Page<AuditEntry & { readonly id: string; readonly time: string }>;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export interface ShownKey {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly status: "active" | "retiring" | "disabled" | "expired" | "retired" | "revoked";
  readonly consumer: string;
  readonly owner?: string;
  readonly scopes?: readonly string[];
  readonly tier?: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
}

export interface MaintenanceState {
  readonly on: boolean;
  readonly since: string | null;
  readonly routes: number;
  readonly ofRoutes: number;
}

/** A value, or the reason why there is none. */
export type Reading<Value> = { readonly value: Value } | { readonly fault: string };

export type Query = Readonly<Record<string, string | undefined>>;

/** Parameters that are absent or empty are left out. */
export async function readApi<Name extends keyof Readings>(api: Api, name: Name, query: Query): Promise<Reading<Readings[Name]>> {
  const found = api.find("GET", [name]);
  if (!found || "allow" in found) return { fault: "This gateway does not know it." };
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const done = await runOperation(found, { query: new URLSearchParams(given), body: {}, actor: { by: "operator" } });
  if ("code" in done) return { fault: done.reason ?? done.detail ?? done.code };
  return { value: done.body as unknown as Readings[Name] };
}
