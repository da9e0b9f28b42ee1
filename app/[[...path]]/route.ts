/** Vercel host, back half: opens the plan, or decides itself, and forwards. */
import { after } from "next/server.js";
import { back } from "../../lib/hosts/vercel/halves.ts";

export const dynamic = "force-dynamic";

const handle = (request: Request): Promise<Response> => back(request, after);

export { handle as DELETE, handle as GET, handle as HEAD, handle as OPTIONS, handle as PATCH, handle as POST, handle as PUT };
