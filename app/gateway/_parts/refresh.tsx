/** Renews the page's data while somebody looks at it. Focus, scroll and open rows stay. */
"use client";
import { useRouter } from "next/navigation.js";
import { useEffect } from "react";

export function Refresh({ everyMs }: { readonly everyMs: number }) {
  const router = useRouter();
  useEffect(() => {
    const renew = () => document.hidden || router.refresh();
    const timer = setInterval(renew, everyMs);
    document.addEventListener("visibilitychange", renew);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", renew);
    };
  }, [router, everyMs]);
  return null;
}
