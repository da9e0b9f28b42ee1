/** A form whose fields become the body of a call of the admin API. Its fields are the page's; ./form-body.ts reads them. */
"use client";
import { useRouter } from "next/navigation.js";
import { type FormEvent, type ReactNode, useState } from "react";
import { callApi } from "./call-api.ts";
import { bodyOf } from "./form-body.ts";
import { KeyDialog } from "./key-dialog.tsx";

interface ApiFormProps {
  readonly method: "POST" | "PUT";
  /** Below /gateway/api/. */
  readonly path: string;
  readonly verb: string;
  /** Said once it is done; `{name}` is a member of the answer. */
  readonly done: string;
  readonly children: ReactNode;
}

export function ApiForm({ method, path, verb, done, children }: ApiFormProps) {
  const router = useRouter();
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ readonly text: string; readonly isFault: boolean }>();
  const [secret, setSecret] = useState<string>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    const { body, fault } = await callApi(method, path, bodyOf(form));
    setBusy(false);
    setSaid({ text: fault ?? done.replace(/\{(\w+)\}/g, (_, name: string) => String(body[name])), isFault: fault !== undefined });
    if (fault !== undefined) return;
    if (typeof body["key"] === "string") setSecret(body["key"]);
    form.reset();
    router.refresh();
  };
  return (
    <form className="form" onSubmit={submit}>
      {children}
      <button type="submit" className="button primary" disabled={isBusy}>
        {verb}
      </button>
      {said ? (
        <p className={`notice ${said.isFault ? "bad" : "good"}`} role={said.isFault ? "alert" : "status"}>
          {said.text}
        </p>
      ) : null}
      {secret === undefined ? null : <KeyDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </form>
  );
}
