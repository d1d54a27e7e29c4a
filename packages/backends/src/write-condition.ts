import { FltsError } from "@flts/common/contracts/errors";
import { describeRef, type ObjectRef, type PutOptions } from "@flts/common/ports/object-store";

/** Checks a write's condition against the ETag of the present object (null when there is none). @throws OBJECT_CONFLICT */
export function assertCondition(
  ref: ObjectRef,
  presentEtag: string | null,
  condition: PutOptions["condition"],
): void {
  if (!condition) return;
  if ("ifNoneMatch" in condition) {
    if (presentEtag === null) return;
    throw new FltsError("OBJECT_CONFLICT", `The object exists already (${describeRef(ref)})`);
  }
  if (presentEtag !== condition.ifMatch) {
    throw new FltsError("OBJECT_CONFLICT", `The object is not the expected version (${describeRef(ref)})`);
  }
}
