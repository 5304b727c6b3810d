ALTER TABLE "metric_series" ADD COLUMN "points" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "last" DOUBLE PRECISION,
ADD COLUMN "last_step" INTEGER,
ADD COLUMN "last_epoch" DOUBLE PRECISION,
ADD COLUMN "last_attempt" INTEGER,
ADD COLUMN "min" DOUBLE PRECISION,
ADD COLUMN "min_step" INTEGER,
ADD COLUMN "min_epoch" DOUBLE PRECISION,
ADD COLUMN "max" DOUBLE PRECISION,
ADD COLUMN "max_step" INTEGER,
ADD COLUMN "max_epoch" DOUBLE PRECISION;

CREATE TABLE "metric_chunks" (
    "run_id" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "first_seq" INTEGER NOT NULL,
    "last_seq" INTEGER NOT NULL,
    "first_step" INTEGER NOT NULL,
    "last_step" INTEGER NOT NULL,
    "records" INTEGER NOT NULL,
    "points" INTEGER NOT NULL,
    "data" BYTEA NOT NULL,

    CONSTRAINT "metric_chunks_pkey" PRIMARY KEY ("run_id", "attempt", "first_seq")
);

CREATE TABLE "metric_segments" (
    "run_id" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "first_seq" INTEGER NOT NULL,
    "last_seq" INTEGER NOT NULL,
    "first_step" INTEGER NOT NULL,
    "last_step" INTEGER NOT NULL,
    "records" INTEGER NOT NULL,
    "series_ids" INTEGER[],
    "rows" BYTEA NOT NULL,
    "kinds" BYTEA NOT NULL,
    "offsets" INTEGER[],
    "data" BYTEA NOT NULL,
    "marks" BYTEA[],
    "rollup_offsets" INTEGER[],
    "rollups" BYTEA NOT NULL,
    "summaries" BYTEA NOT NULL,

    CONSTRAINT "metric_segments_pkey" PRIMARY KEY ("run_id", "attempt", "first_seq")
);

CREATE TABLE "metric_marks" (
    "run_id" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "summarised_seq" INTEGER NOT NULL,

    CONSTRAINT "metric_marks_pkey" PRIMARY KEY ("run_id", "attempt")
);

-- Packed numbers do not get smaller, and of an uncompressed value Postgres reads only the part that is asked for.
ALTER TABLE "metric_chunks" ALTER COLUMN "data" SET STORAGE EXTERNAL;
ALTER TABLE "metric_segments" ALTER COLUMN "rows" SET STORAGE EXTERNAL,
ALTER COLUMN "data" SET STORAGE EXTERNAL,
ALTER COLUMN "rollups" SET STORAGE EXTERNAL;

-- Chunks come and go all the time: their room is given back every few thousand of them, however large the table has been.
ALTER TABLE "metric_chunks" SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 4000
);
-- Summaries are written again and again in place.
ALTER TABLE "metric_series" SET (fillfactor = 70);
