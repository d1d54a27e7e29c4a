import type { ErrorCode } from "@flts/common/contracts/errors";
import type { Progress } from "@flts/families/family";
import type { FittedModel, FitWork } from "@flts/families/fit";

/** What a trainer sends its child: once. */
export type ToChild = FitWork & { readonly family: string };

/** What the child sends: beats and progress, then its one result. */
export type FromChild =
  | { readonly kind: "beat"; readonly residentBytes: number }
  | { readonly kind: "progress"; readonly progress: Progress; readonly residentBytes: number }
  | { readonly kind: "done"; readonly fitted: FittedModel }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode | "UNCLASSIFIED";
      readonly message: string;
      readonly stack?: string;
    };
