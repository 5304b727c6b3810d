-- Launchers, placement, control, telemetry, printed output, events and webhooks.

ALTER TYPE attempt_outcome ADD VALUE 'refused';

CREATE TYPE launcher_kind AS ENUM ('local', 'ssh', 'slurm');
CREATE TYPE output_stream AS ENUM ('stdout', 'stderr');
CREATE TYPE delivery_status AS ENUM ('pending', 'delivered', 'failed');

CREATE TABLE launchers (
  id            text PRIMARY KEY,
  kind          launcher_kind NOT NULL,
  name          text NOT NULL UNIQUE,
  settings      jsonb NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  created_by_id text REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE launcher_events (
  id          bigserial PRIMARY KEY,
  launcher_id text NOT NULL REFERENCES launchers (id) ON DELETE CASCADE ON UPDATE CASCADE,
  at          timestamptz NOT NULL DEFAULT now(),
  step        text NOT NULL,
  level       log_level NOT NULL,
  line        text NOT NULL
);
CREATE INDEX launcher_events_launcher_id_id_idx ON launcher_events (launcher_id, id);

CREATE TABLE slurm_jobs (
  token        text PRIMARY KEY,
  launcher_id  text NOT NULL REFERENCES launchers (id) ON DELETE CASCADE ON UPDATE CASCADE,
  run_id       text NOT NULL REFERENCES runs (id) ON DELETE CASCADE ON UPDATE CASCADE,
  job_id       text,
  state        text NOT NULL,
  reason       text,
  node         text,
  script       text NOT NULL,
  exit_code    integer,
  signal       text,
  submitted_at timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  ended_at     timestamptz
);
CREATE INDEX slurm_jobs_launcher_id_ended_at_idx ON slurm_jobs (launcher_id, ended_at);
CREATE INDEX slurm_jobs_run_id_idx ON slurm_jobs (run_id);

ALTER TABLE hosts
  ADD COLUMN launcher_id   text REFERENCES launchers (id) ON DELETE SET NULL ON UPDATE CASCADE,
  ADD COLUMN labels        text[] NOT NULL DEFAULT '{}',
  ADD COLUMN draining_at   timestamptz,
  ADD COLUMN resting_until timestamptz,
  ADD COLUMN rest_reason   text;

ALTER TABLE studies ADD COLUMN max_concurrent integer;

ALTER TABLE runs
  ADD COLUMN pause_requested_at timestamptz,
  ADD COLUMN required_labels    text[] NOT NULL DEFAULT '{}',
  ADD COLUMN required_memory    bigint;

ALTER TABLE run_attempts ADD COLUMN slot integer;

CREATE TABLE run_refusals (
  run_id        text NOT NULL REFERENCES runs (id) ON DELETE CASCADE ON UPDATE CASCADE,
  host_id       text NOT NULL REFERENCES hosts (id) ON DELETE CASCADE ON UPDATE CASCADE,
  agent_version text NOT NULL,
  reason        text NOT NULL,
  at            timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, host_id)
);
CREATE INDEX run_refusals_host_id_idx ON run_refusals (host_id);

CREATE TABLE host_samples (
  host_id  text NOT NULL REFERENCES hosts (id) ON DELETE CASCADE ON UPDATE CASCADE,
  width_s  integer NOT NULL,
  at       timestamptz NOT NULL,
  sample   jsonb NOT NULL,
  PRIMARY KEY (host_id, width_s, at)
);

CREATE TABLE output_lines (
  run_id  text NOT NULL,
  attempt integer NOT NULL,
  stream  output_stream NOT NULL,
  seq     integer NOT NULL,
  at      timestamptz NOT NULL,
  line    text NOT NULL,
  PRIMARY KEY (run_id, attempt, stream, seq)
);

CREATE TABLE events (
  id       bigserial PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT now(),
  kind     text NOT NULL,
  study_id text REFERENCES studies (id) ON DELETE CASCADE ON UPDATE CASCADE,
  run_id   text REFERENCES runs (id) ON DELETE CASCADE ON UPDATE CASCADE,
  host_id  text REFERENCES hosts (id) ON DELETE SET NULL ON UPDATE CASCADE,
  detail   jsonb NOT NULL
);
CREATE INDEX events_study_id_id_idx ON events (study_id, id);
CREATE INDEX events_run_id_idx ON events (run_id);
CREATE INDEX events_host_id_idx ON events (host_id);

CREATE TABLE webhooks (
  id              text PRIMARY KEY,
  label           text NOT NULL,
  url             text NOT NULL,
  secret          text NOT NULL,
  kinds           text[] NOT NULL,
  allows_private  boolean NOT NULL DEFAULT false,
  enabled         boolean NOT NULL DEFAULT true,
  created_at      timestamptz NOT NULL DEFAULT now(),
  created_by_id   text REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE
);

CREATE TABLE webhook_deliveries (
  webhook_id   text NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE ON UPDATE CASCADE,
  event_id     bigint NOT NULL REFERENCES events (id) ON DELETE CASCADE ON UPDATE CASCADE,
  status       delivery_status NOT NULL DEFAULT 'pending',
  tries        integer NOT NULL DEFAULT 0,
  next_try_at  timestamptz NOT NULL DEFAULT now(),
  last_status  integer,
  last_error   text,
  delivered_at timestamptz,
  PRIMARY KEY (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_status_next_try_at_idx ON webhook_deliveries (status, next_try_at);
CREATE INDEX webhook_deliveries_event_id_idx ON webhook_deliveries (event_id);
