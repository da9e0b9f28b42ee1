/** Shows a new key, this once. */
"use client";
import { useEffect, useRef } from "react";
import { CopyButton } from "./copy-button.tsx";

export function KeyDialog({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="key-title">
      <h2 id="key-title">The new key</h2>
      <p>It is shown now and never again: the gateway keeps its digest alone.</p>
      <code className="secret">{secret}</code>
      <div className="actions">
        <CopyButton text={secret} label="Copy the key" />
        <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
          Done
        </button>
      </div>
    </dialog>
  );
}
