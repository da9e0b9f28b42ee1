/** The reference for the Vercel shape, front half: a middleware that lets everything pass. */
import { NextResponse } from "next/server.js";

export const config = { runtime: "nodejs", matcher: "/:path*" };

export function middleware() {
  return NextResponse.next();
}
