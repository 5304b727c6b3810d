-- Launchers at work: whose token it is, what each step did, which host a job became, and when a launcher rests.

ALTER TABLE tokens ADD COLUMN launcher_id text REFERENCES launchers (id) ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX tokens_launcher_id_idx ON tokens (launcher_id);

ALTER TABLE launchers
  ADD COLUMN from_config   boolean NOT NULL DEFAULT false,
  ADD COLUMN resting_until timestamptz,
  ADD COLUMN rest_reason   text;

CREATE TYPE launcher_event_kind AS ENUM ('begun', 'done', 'skipped', 'failed', 'output');
ALTER TABLE launcher_events DROP COLUMN level;
ALTER TABLE launcher_events ADD COLUMN kind launcher_event_kind NOT NULL;

ALTER TABLE slurm_jobs
  ADD COLUMN host_id   text REFERENCES hosts (id) ON DELETE SET NULL ON UPDATE CASCADE,
  ADD COLUMN end_cause text,
  ADD COLUMN restarts  integer NOT NULL DEFAULT 0;
CREATE INDEX slurm_jobs_host_id_idx ON slurm_jobs (host_id);
