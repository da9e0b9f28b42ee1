/** A button that calls the admin API, after a confirmation where it can't be undone. */
"use client";
import { useRouter } from "next/navigation.js";
import { useRef, useState } from "react";
import { callApi } from "./call-api.ts";
import { KeyDialog } from "./key-dialog.tsx";

interface ApiButtonProps {
  readonly label: string;
  /** What it is done to, for those who hear the button alone. */
  readonly subject?: string;
  readonly method: "POST" | "PUT" | "DELETE";
  /** Below /gateway/api/. */
  readonly path: string;
  readonly body?: unknown;
  /** What happens then. Absent: it is done at once. */
  readonly confirm?: string;
  readonly isDanger?: boolean;
}

export function ApiButton({ label, subject, method, path, body, confirm, isDanger = false }: ApiButtonProps) {
  const router = useRouter();
  const dialog = useRef<HTMLDialogElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<string>();
  const [secret, setSecret] = useState<string>();
  const run = async () => {
    setBusy(true);
    const answer = await callApi(method, path, body);
    setBusy(false);
    setFault(answer.fault);
    if (answer.fault !== undefined) return;
    dialog.current?.close();
    if (typeof answer.body["key"] === "string") setSecret(answer.body["key"]);
    router.refresh();
  };
  const style = `button${isDanger ? " danger" : ""}`;
  return (
    <>
      <button type="button" className={style} disabled={isBusy} onClick={() => (confirm ? dialog.current?.showModal() : run())}>
        {label}
        {subject ? <span className="unseen"> {subject}</span> : null}
      </button>
      {fault === undefined || confirm ? null : (
        <span className="bad" role="alert">
          {fault}
        </span>
      )}
      {confirm ? (
        <dialog ref={dialog} aria-label={`${label} ${subject ?? ""}`} onClose={() => setFault(undefined)}>
          <h2>
            {label} {subject}
          </h2>
          <p>{confirm}</p>
          {fault === undefined ? null : (
            <p className="notice bad" role="alert">
              {fault}
            </p>
          )}
          <div className="actions">
            <button type="button" className={`${style} ${isDanger ? "" : "primary"}`} disabled={isBusy} onClick={run}>
              {label}
            </button>
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
          </div>
        </dialog>
      ) : null}
      {secret === undefined ? null : <KeyDialog secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}
