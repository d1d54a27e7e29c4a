/**
 * Every event name a log line may carry. Where the reference logs the same thing, the name is the reference's (behaviour §4.6, §5.6, §6.2, §7.8).
 */
export type LogEvent =
  // every process
  | "service_start"
  | "service_ready"
  | "service_stop"
  | "service_crash"
  | "config_invalid"
  | "http_request_in"
  | "http_request_error"
  // every stage
  | "message_handled"
  | "message_held"
  | "message_dead_lettered"
  | "message_fatal"
  // gateway
  | "upload_done"
  | "upload_refused"
  // preprocess
  | "skip_idempotent"
  | "force_reprocess"
  | "download_start"
  | "sampling_applied"
  | "download_done"
  | "imputation_applied"
  | "pipeline_done"
  | "success"
  | "failure"
  // train
  | "claim_check"
  | "train_start"
  | "train_progress"
  | "model_logged"
  | "train_complete"
  | "train_error"
  | "train_skip_duplicate"
  | "train_superseded"
  | "train_waiting_for_models"
  // eval
  | "promotion_ignore"
  | "promotion_waiting_for_models"
  | "promotion_all_models_present"
  | "promotion_scoreboard"
  | "promotion_decision"
  | "promotion_conflict"
  | "promotion_gate_off"
  | "promotion_champion_unavailable"
  // inference
  | "promotion_manifest_loaded"
  | "promotion_manifest_absent"
  | "promotion_pointer_fetch_fail"
  | "promotion_model_loaded"
  | "promotion_model_load_fail"
  | "promotion_model_already_active"
  | "promotion_watch_fail"
  | "model_close_fail"
  | "model_cache_fail"
  | "preload_test_success"
  | "preload_test_fail";
