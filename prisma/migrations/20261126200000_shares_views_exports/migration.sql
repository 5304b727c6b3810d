ALTER TABLE "studies" ADD COLUMN "question" TEXT NOT NULL DEFAULT '',
ADD COLUMN "kept_best" INTEGER,
ADD COLUMN "kept_latest" INTEGER;

CREATE TABLE "study_shares" (
    "id" TEXT NOT NULL,
    "study_id" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by_id" TEXT,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,

    CONSTRAINT "study_shares_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "study_shares_hash_key" ON "study_shares"("hash");
CREATE INDEX "study_shares_study_id_idx" ON "study_shares"("study_id");
CREATE INDEX "study_shares_created_by_id_idx" ON "study_shares"("created_by_id");
ALTER TABLE "study_shares" ADD CONSTRAINT "study_shares_study_id_fkey" FOREIGN KEY ("study_id") REFERENCES "studies"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "study_shares" ADD CONSTRAINT "study_shares_created_by_id_fkey" FOREIGN KEY ("created_by_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

CREATE TABLE "saved_views" (
    "id" TEXT NOT NULL,
    "study_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by_id" TEXT,

    CONSTRAINT "saved_views_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "saved_views_study_id_kind_name_key" ON "saved_views"("study_id", "kind", "name");
CREATE INDEX "saved_views_created_by_id_idx" ON "saved_views"("created_by_id");
ALTER TABLE "saved_views" ADD CONSTRAINT "saved_views_study_id_fkey" FOREIGN KEY ("study_id") REFERENCES "studies"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "saved_views" ADD CONSTRAINT "saved_views_created_by_id_fkey" FOREIGN KEY ("created_by_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

CREATE TABLE "model_exports" (
    "source_sha256" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "recipe" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_exports_pkey" PRIMARY KEY ("source_sha256", "format", "recipe")
);
CREATE INDEX "model_exports_sha256_idx" ON "model_exports"("sha256");
