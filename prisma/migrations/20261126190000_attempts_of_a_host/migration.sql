CREATE INDEX "run_attempts_host_id_idx" ON "run_attempts" ("host_id");
