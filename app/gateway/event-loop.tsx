/** How late the event loop is, and what is refused for it. Only a host that sees its own load has it. */
import { describeShed, type Load } from "../../lib/contract/load.ts";

export function EventLoop({ load: { lagMs, shed } }: { load: Pick<Load, "lagMs" | "shed"> }) {
  return (
    <div>
      <dt>Event loop</dt>
      <dd>
        {`${lagMs} ms late`}
        {shed > 0 ? <span className="target down">refuses {describeShed(shed)}</span> : null}
      </dd>
    </div>
  );
}
