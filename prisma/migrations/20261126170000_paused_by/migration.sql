-- Who paused a run, for whoever wonders why it waits.

ALTER TABLE runs ADD COLUMN paused_by_id text REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE;
CREATE INDEX runs_paused_by_id_idx ON runs (paused_by_id);
