/** Vercel host, front half: decides, and seals the plan for the handler. */
import { type NextFetchEvent, type NextRequest, NextResponse } from "next/server.js";
import { front } from "./lib/hosts/vercel/halves.ts";

// Next reads this at build and takes only literals.
export const config = { runtime: "nodejs", matcher: "/:path*" };

export async function middleware(request: NextRequest, event: NextFetchEvent): Promise<Response> {
  const verdict = await front(request, (promise) => event.waitUntil(promise));
  if ("response" in verdict) return verdict.response;
  return NextResponse.next({ request: { headers: verdict.requestHeaders }, headers: verdict.responseHeaders });
}
